/** Who voted for an epoch's checkpoint, and from which source. See specs/consensus/finality.md#tallies. */
import { BitArray } from "@chainsafe/ssz";
import { containersOf } from "./chain-containers.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import type { Tally } from "./state-containers.ts";
import type { Epoch } from "./time.ts";

/** The votes counted for `epoch`; undefined when there are none. */
export function getTally(state: ConsensusState, epoch: Epoch, params: ChainParams): Tally | undefined {
  const tally = state.tallies.get(epoch % containersOf(params).tallyRingLength);
  return tally.epoch === epoch && tally.bits.bitLen > 0 ? tally : undefined;
}

/**
 * Counts voters for `epoch`; who is counted already stays as counted first.
 *
 * @param sourceEpoch where to count them by source too; undefined when the link cannot finalize its source.
 * @param voters bits by validator index.
 * @returns the new tally.
 */
export function addToTally(
  state: ConsensusState,
  epoch: Epoch,
  sourceEpoch: Epoch | undefined,
  voters: BitArray,
  params: ChainParams,
): Tally {
  const before = getTally(state, epoch, params);
  const counted = before?.bits ?? BitArray.fromBitLen(voters.bitLen);
  const added = without(voters, counted);
  const tally = {
    epoch,
    bits: union(counted, added),
    bySource: addBySource(before?.bySource ?? [], sourceEpoch, added),
  };
  state.tallies.set(epoch % containersOf(params).tallyRingLength, tally);
  return tally;
}

function addBySource(
  bySource: Tally["bySource"],
  sourceEpoch: Epoch | undefined,
  added: BitArray,
): Tally["bySource"] {
  if (sourceEpoch === undefined) return bySource;
  const before = bySource.find((entry) => entry.sourceEpoch === sourceEpoch);
  const entry = { sourceEpoch, bits: before === undefined ? added : union(before.bits, added) };
  return [...bySource.filter((other) => other !== before), entry].sort(
    (a, b) => a.sourceEpoch - b.sourceEpoch,
  );
}

export function union(a: BitArray, b: BitArray): BitArray {
  return new BitArray(
    a.uint8Array.map((byte, index) => byte | (b.uint8Array[index] ?? 0)),
    a.bitLen,
  );
}

/** The bits of `a` that are not in `b`. */
export function without(a: BitArray, b: BitArray): BitArray {
  return new BitArray(
    a.uint8Array.map((byte, index) => byte & ~(b.uint8Array[index] ?? 0)),
    a.bitLen,
  );
}
