/** Which aggregates on gossip are counted, forwarded and blamed. See specs/consensus/aggregation.md#gossip. */

import { isAggregated, isAggregator } from "./aggregators.ts";
import type { AggregateAndProof } from "./chain-containers.ts";
import type { Engine } from "./engine-state.ts";
import { getCommittees } from "./selection.ts";
import type { ConsensusState } from "./state.ts";
import { isAggregateCovered } from "./vote-pool.ts";
import { ignore, reject, type VoteVerdict } from "./vote-rules.ts";

/**
 * Judges what is an aggregate's own, once its data is good, without its signatures.
 *
 * @param key of the data.
 * @see consensus-specs v1.5.0, electra/p2p-interface.md, beacon_aggregate_and_proof
 */
export function judgeAggregate(
  engine: Engine,
  { aggregatorIndex, aggregate, selectionProof }: AggregateAndProof,
  key: `0x${string}`,
  state: ConsensusState,
): VoteVerdict {
  const { params } = engine.chain;
  const { data, aggregationBits: bits, committeeBits } = aggregate;
  const committees = getCommittees(state, data.slot, params);
  if (!isAggregated(committees)) return reject("AGGREGATE_OF_ONE_COMMITTEE");
  const [committeeIndex, ...others] = committeeBits.getTrueBitIndexes();
  if (committeeIndex === undefined || others.length > 0) return reject("AGGREGATE_NOT_ONE_COMMITTEE");
  const committee = committees[committeeIndex];
  if (committee === undefined) return reject("AGGREGATE_COMMITTEE_UNKNOWN");
  if (bits.bitLen !== committee.length) return reject("AGGREGATE_WRONG_LENGTH");
  if (bits.uint8Array.every((byte) => byte === 0)) return reject("AGGREGATE_EMPTY");
  if (!committee.includes(aggregatorIndex)) return reject("AGGREGATE_NOT_IN_COMMITTEE");
  if (!isAggregator(committee.length, selectionProof, params)) return reject("AGGREGATE_NOT_SELECTED");
  if (engine.seenAggregators.get(data.target.epoch)?.has(aggregatorIndex) === true) {
    return ignore("AGGREGATE_AGGREGATOR_SEEN");
  }
  if (isAggregateCovered(engine.votePool, key, committeeIndex, bits)) return ignore("AGGREGATE_COVERED");
  return { verdict: "check" };
}

/** Notes that the aggregator's one aggregate of the epoch was seen, its signature good. @returns whether it is the first. */
export function noteAggregator({ seenAggregators }: Engine, epoch: number, aggregatorIndex: number): boolean {
  let seen = seenAggregators.get(epoch);
  if (seen === undefined) {
    seen = new Set();
    seenAggregators.set(epoch, seen);
  }
  if (seen.has(aggregatorIndex)) return false;
  seen.add(aggregatorIndex);
  return true;
}
