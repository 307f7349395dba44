/** Who aggregates a committee's votes: drawn by a signature nobody can choose. See specs/consensus/aggregation.md#aggregators. */
import { sha256 } from "../primitives/hash.ts";
import type { ChainParams } from "./params.ts";

/**
 * Whether a member with this selection proof, its signature over the slot, aggregates for a committee of
 * `committeeSize`. About `targetAggregatorsPerCommittee` members do; in a smaller committee all of them.
 *
 * @see consensus-specs v1.5.0, phase0/validator.md, is_aggregator
 */
export function isAggregator(
  committeeSize: number,
  selectionProof: Uint8Array,
  params: ChainParams,
): boolean {
  const modulo = Math.max(1, Math.floor(committeeSize / params.targetAggregatorsPerCommittee));
  const hash = sha256(selectionProof);
  const draw = new DataView(hash.buffer, hash.byteOffset, 8).getBigUint64(0, true);
  return draw % BigInt(modulo) === 0n;
}

/** Whether a slot's votes travel as aggregates: above `unaggregatedVoterLimit` voters there are several committees. */
export function isAggregated(committees: readonly Uint32Array[]): boolean {
  return committees.length > 1;
}
