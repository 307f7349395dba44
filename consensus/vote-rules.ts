/** Which votes on gossip are counted, forwarded and blamed. See specs/consensus/gossip-rules.md#votes. */
import { toHex } from "../primitives/bytes.ts";
import { isAggregated } from "./aggregators.ts";
import type { AttestationData, SingleAttestation } from "./containers.ts";
import type { Engine } from "./engine-state.ts";
import { checkpointBlock, slotOfRoot } from "./fork-choice-store.ts";
import { isFromFuture } from "./gossip-rules.ts";
import { getCommittees } from "./selection.ts";
import type { ConsensusState } from "./state.ts";
import { computeSubnet } from "./subnets.ts";
import { computeEpochAtSlot } from "./time.ts";
import { firstVote, type SignedVote } from "./vote-records.ts";

/** Slots a vote may be late on gossip. Later ones still count when a block contains them. */
export const VOTE_WINDOW_SLOTS = 32;

export type VoteVerdict =
  | { readonly verdict: "check" }
  | { readonly verdict: "ignore" | "reject" | "wait"; readonly reason: string };

const CHECK: VoteVerdict = { verdict: "check" };
export const reject = (reason: string): VoteVerdict => ({ verdict: "reject", reason });
export const ignore = (reason: string): VoteVerdict => ({ verdict: "ignore", reason });

/**
 * Judges what all votes with this data share, without a signature. An unknown source is never a reason to
 * drop a vote: it counts for the head and is forwarded, and is packed once its source is known.
 */
export function judgeVoteData(engine: Engine, data: AttestationData): VoteVerdict {
  const { params } = engine.chain;
  const { slot, target, source } = data;
  if (data.index !== 0) return reject("VOTE_INDEX_NOT_ZERO");
  if (target.epoch !== computeEpochAtSlot(slot, params)) return reject("VOTE_TARGET_NOT_OF_SLOT");
  if (source.epoch >= target.epoch) return reject("VOTE_SOURCE_NOT_BEFORE_TARGET");
  if (isFromFuture(engine, slot)) return ignore("VOTE_FROM_FUTURE");
  if (slot + VOTE_WINDOW_SLOTS < engine.store.nowSlot) return ignore("VOTE_TOO_OLD");

  const headRoot = toHex(data.beaconBlockRoot);
  if (engine.invalidRoots.has(headRoot)) return reject("VOTE_FOR_INVALID_BLOCK");
  if (engine.abandonedRoots.has(headRoot)) return ignore("VOTE_ON_ABANDONED_BRANCH");
  const headSlot = slotOfRoot(engine.store, headRoot);
  if (headSlot === undefined) return { verdict: "wait", reason: "VOTE_HEAD_UNKNOWN" };
  if (headSlot > slot) return reject("VOTE_BEFORE_ITS_HEAD");
  const expectedTarget = checkpointBlock(engine.store, headRoot, target.epoch);
  if (expectedTarget === undefined) return ignore("VOTE_BEHIND_FINALITY");
  if (expectedTarget !== toHex(target.root)) return reject("VOTE_TARGET_NOT_ON_CHAIN");
  return CHECK;
}

/**
 * Judges one voter's vote whose data is good, before its signature.
 *
 * @param subnet the one it came by; undefined for the topic of slots with one committee.
 */
export function judgeVoter(
  engine: Engine,
  vote: SignedVote,
  { attesterIndex, committeeIndex }: SingleAttestation,
  subnet: number | undefined,
  state: ConsensusState,
): VoteVerdict {
  const { params } = engine.chain;
  const { slot } = vote.data;
  const committees = getCommittees(state, slot, params);
  const committee = committees[committeeIndex];
  if (committee === undefined) return reject("VOTE_COMMITTEE_UNKNOWN");
  const expectedSubnet = isAggregated(committees)
    ? computeSubnet(slot, committeeIndex, committees.length, params)
    : undefined;
  if (subnet !== expectedSubnet) return reject("VOTE_WRONG_SUBNET");
  if (!committee.includes(attesterIndex)) return reject("VOTE_NOT_IN_COMMITTEE");
  const first = firstVote(engine.voteRecords, vote.data.target.epoch, attesterIndex);
  if (first?.key === vote.key) return ignore("VOTE_ALREADY_SEEN");
  if (engine.store.votes.equivocating[attesterIndex] === 1) return ignore("VOTE_OF_EQUIVOCATOR");
  return CHECK;
}
