/** Aggregates from gossip: judged, verified, counted, kept for inclusion. See specs/consensus/aggregation.md#gossip. */
import type { Hash } from "../primitives/bytes.ts";
import { judgeAggregate, noteAggregator } from "./aggregate-rules.ts";
import type { Attestation, SignedAggregateAndProof } from "./chain-containers.ts";
import type { EngineEvent } from "./engine-events.ts";
import { type Engine, emit, openJob, type PendingAggregate, type PendingVotes } from "./engine-state.ts";
import { onVote } from "./fork-choice.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { judgeMessage, noteVote, stateOfVote } from "./on-attestation.ts";
import { aggregateSignatureSets } from "./signature-sets.ts";
import { addAggregateToPool } from "./vote-pool.ts";
import { type SignedVote, toHeadVote, voteKey } from "./vote-records.ts";
import { judgeVoteData, type VoteVerdict } from "./vote-rules.ts";
import { giveVerdict, holdForHead, takeWaiting } from "./waiting-votes.ts";

export function onAggregateReceived(
  engine: Engine,
  { aggregate, peer, messageId }: EngineEvent & { type: "aggregateReceived" },
): void {
  judgeAggregateMessage(engine, { kind: "aggregate", aggregate, peer, messageId }, true);
}

function judgeAggregateMessage(engine: Engine, message: PendingAggregate, mayWait: boolean): void {
  const { message: proof } = message.aggregate;
  const { data } = proof.aggregate;
  let verdict: VoteVerdict = judgeVoteData(engine, data);
  if (verdict.verdict === "wait" && mayWait) {
    holdForHead(engine, message, data.beaconBlockRoot);
    return;
  }
  const state = verdict.verdict === "check" ? stateOfVote(engine, data) : undefined;
  const key = voteKey(data);
  if (state !== undefined) verdict = judgeAggregate(engine, proof, key, state);
  else if (verdict.verdict === "check") verdict = { verdict: "ignore", reason: "VOTE_STATE_NOT_KEPT" };
  if (verdict.verdict !== "check" || state === undefined) {
    const isFault = verdict.verdict === "reject";
    giveVerdict(engine, message, isFault ? "reject" : "ignore", "reason" in verdict ? verdict.reason : "");
    return;
  }
  const { params } = engine.chain;
  const vote = toSignedVote(key, proof.aggregate, getAttestingIndices(state, proof.aggregate, params));
  emit(engine, {
    type: "verifySignatures",
    id: openJob(engine, { kind: "aggregate", vote, message }),
    sets: aggregateSignatureSets(state, message.aggregate, vote.validatorIndices, params),
    urgency: "vote",
  });
}

export function onAggregateVerified(
  engine: Engine,
  vote: SignedVote,
  message: PendingAggregate,
  valid: readonly boolean[],
): void {
  if (!valid.every(Boolean)) {
    giveVerdict(engine, message, "reject", "AGGREGATE_WRONG_SIGNATURE");
    return;
  }
  const { aggregatorIndex } = message.aggregate.message;
  if (!noteAggregator(engine, vote.data.target.epoch, aggregatorIndex)) {
    giveVerdict(engine, message, "ignore", "AGGREGATE_AGGREGATOR_SEEN");
    return;
  }
  acceptAggregate(engine, vote, message.aggregate);
  giveVerdict(engine, message, "accept", "AGGREGATE_ACCEPTED");
}

/**
 * A verified aggregate, of a peer or our own. One that contains the second vote of an equivocator is kept all the
 * same: a state counts each member's first vote only.
 */
export function acceptAggregate(
  engine: Engine,
  vote: SignedVote,
  { message: { aggregate } }: SignedAggregateAndProof,
): void {
  noteVote(engine, vote);
  onVote(engine.store, toHeadVote(vote));
  const [committeeIndex = 0] = aggregate.committeeBits.getTrueBitIndexes();
  const { aggregationBits: bits, signature } = aggregate;
  addAggregateToPool(engine.votePool, vote, committeeIndex, { bits, signature });
}

/** @param validatorIndices whose bits are set, ascending. */
export function toSignedVote(
  key: Hash,
  { data, signature }: Attestation,
  validatorIndices: readonly number[],
): SignedVote {
  return { key, data, validatorIndices, signature };
}

/** The block that votes and aggregates waited for is in the tree. */
export function resumeVotes(engine: Engine, headRoot: Hash): void {
  for (const message of takeWaiting(engine, headRoot)) resume(engine, message);
}

function resume(engine: Engine, message: PendingVotes): void {
  if (message.kind === "aggregate") judgeAggregateMessage(engine, message, false);
  else judgeMessage(engine, message, false);
}
