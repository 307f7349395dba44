/** The first vote seen of each validator and epoch: what makes a second one evidence. See specs/consensus/gossip-rules.md#votes. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { AttestationData } from "./containers.ts";
import type { HeadVote } from "./fork-choice-store.ts";
import type { Epoch } from "./time.ts";

/** A signed vote of one or more validators, as it would stand in an attester slashing. */
export type SignedVote = {
  readonly key: Hash;
  readonly data: AttestationData;
  /** Ascending, all of them covered by the signature. */
  readonly validatorIndices: readonly number[];
  readonly signature: Uint8Array;
};

/** By target epoch, then by validator: bounded by the epochs of the gossip window times the validators. */
export type VoteRecords = Map<Epoch, Map<number, SignedVote>>;

/** The first vote of the validator for the epoch, if any was seen. */
export function firstVote(
  records: VoteRecords,
  epoch: Epoch,
  validatorIndex: number,
): SignedVote | undefined {
  return records.get(epoch)?.get(validatorIndex);
}

/**
 * Notes a verified vote of `validatorIndex`.
 * @returns the earlier, different vote for the same target epoch, which together with this one is slashable.
 */
export function recordVote(
  records: VoteRecords,
  vote: SignedVote,
  validatorIndex: number,
): SignedVote | undefined {
  const epoch = vote.data.target.epoch;
  let votes = records.get(epoch);
  if (votes === undefined) {
    votes = new Map();
    records.set(epoch, votes);
  }
  const first = votes.get(validatorIndex);
  if (first === undefined) votes.set(validatorIndex, vote);
  return first === undefined || first.key === vote.key ? undefined : first;
}

export function pruneVoteRecords(records: VoteRecords, belowEpoch: Epoch): void {
  for (const epoch of records.keys()) if (epoch < belowEpoch) records.delete(epoch);
}

/** Names the data of a vote: equal keys are equal votes. */
export function voteKey(data: AttestationData): Hash {
  return toHex(AttestationData.hashTreeRoot(data));
}

/** What fork choice counts of it. */
export function toHeadVote({ data, validatorIndices }: SignedVote): HeadVote {
  return { slot: data.slot, headRoot: toHex(data.beaconBlockRoot), validatorIndices };
}
