/** Votes from gossip: judged, verified in batches, counted, kept for inclusion. See specs/consensus/gossip-rules.md#votes. */

import type { SignatureSet } from "../primitives/bls.ts";
import { type Hash, toHex } from "../primitives/bytes.ts";
import { getStateInPeriod } from "./advanced-state.ts";
import type { AttestationData, SingleAttestation } from "./containers.ts";
import type { EngineEvent } from "./engine-events.ts";
import { type Engine, emit, openJob, type PendingSingleVotes } from "./engine-state.ts";
import { onEquivocation, onVote } from "./fork-choice.ts";
import { giveEvidence } from "./on-operation.ts";
import { singleAttestationSignatureSet } from "./signature-sets.ts";
import type { ConsensusState } from "./state.ts";
import { getState } from "./state-cache.ts";
import { computeEpochAtSlot, computePeriodAtSlot } from "./time.ts";
import { addToPool } from "./vote-pool.ts";
import { recordVote, type SignedVote, toHeadVote, voteKey } from "./vote-records.ts";
import { judgeVoteData, judgeVoter, VOTE_WINDOW_SLOTS, type VoteVerdict } from "./vote-rules.ts";
import { giveVerdict, holdForHead } from "./waiting-votes.ts";

export function onAttestationsReceived(
  engine: Engine,
  { attestations, subnet, peer, messageId }: EngineEvent & { type: "attestationsReceived" },
): void {
  judgeMessage(engine, { kind: "votes", attestations, subnet, peer, messageId }, true);
}

/** The message's worst fault decides; without one it is good when any of its votes is new. */
export function judgeMessage(engine: Engine, message: PendingSingleVotes, mayWait: boolean): void {
  const judged = new Map<Hash, VoteVerdict>();
  const votes: SignedVote[] = [];
  const sets: SignatureSet[] = [];
  let reason = "VOTE_MESSAGE_EMPTY";
  for (const attestation of message.attestations) {
    const key = voteKey(attestation.data);
    let verdict = judged.get(key);
    if (verdict === undefined) {
      verdict = judgeVoteData(engine, attestation.data);
      judged.set(key, verdict);
    }
    if (verdict.verdict === "wait") {
      if (mayWait) holdForHead(engine, message, attestation.data.beaconBlockRoot);
      else giveVerdict(engine, message, "ignore", verdict.reason);
      return;
    }
    const state = verdict.verdict === "check" ? stateOfVote(engine, attestation.data) : undefined;
    const vote = toSignedVote(attestation, key);
    if (state !== undefined) verdict = judgeVoter(engine, vote, attestation, message.subnet, state);
    else if (verdict.verdict === "check") verdict = { verdict: "ignore", reason: "VOTE_STATE_NOT_KEPT" };
    if (verdict.verdict === "reject") {
      giveVerdict(engine, message, "reject", verdict.reason);
      return;
    }
    if (verdict.verdict !== "check" || state === undefined) {
      reason = verdict.verdict === "check" ? reason : verdict.reason;
      continue;
    }
    votes.push(vote);
    sets.push(singleAttestationSignatureSet(state, attestation, engine.chain.params));
  }
  if (votes.length === 0) {
    giveVerdict(engine, message, "ignore", reason);
    return;
  }
  const id = openJob(engine, { kind: "votes", votes, message });
  emit(engine, { type: "verifySignatures", id, sets, urgency: "vote" });
}

/** One bad signature condemns the message; the good votes beside it count all the same. */
export function onVotesVerified(
  engine: Engine,
  votes: readonly SignedVote[],
  message: PendingSingleVotes,
  valid: readonly boolean[],
): void {
  for (const [i, vote] of votes.entries()) if (valid[i] === true) acceptVote(engine, vote);
  const isGood = votes.every((_, i) => valid[i] === true);
  giveVerdict(
    engine,
    message,
    isGood ? "accept" : "reject",
    isGood ? "VOTES_ACCEPTED" : "VOTE_WRONG_SIGNATURE",
  );
}

/** A verified vote of one validator: counted, and kept for inclusion unless it conflicts with an earlier one. */
export function acceptVote(engine: Engine, vote: SignedVote): void {
  const isConflicting = noteVote(engine, vote);
  onVote(engine.store, toHeadVote(vote));
  const [validatorIndex] = vote.validatorIndices;
  if (!isConflicting && validatorIndex !== undefined) addToPool(engine.votePool, vote, validatorIndex);
}

/**
 * Notes who voted for what. A second, different vote for one target epoch makes its signer an equivocator.
 * @returns whether there was one.
 */
export function noteVote(engine: Engine, vote: SignedVote): boolean {
  if (engine.hasSlasher) emit(engine, { type: "voteSeen", vote });
  const oldest = computeEpochAtSlot(
    Math.max(0, engine.store.nowSlot - VOTE_WINDOW_SLOTS),
    engine.chain.params,
  );
  if (vote.data.target.epoch < oldest) return false;
  let conflicting: SignedVote | undefined;
  const equivocators: number[] = [];
  for (const validatorIndex of vote.validatorIndices) {
    const first = recordVote(engine.voteRecords, vote, validatorIndex);
    if (first === undefined || engine.store.votes.equivocating[validatorIndex] === 1) continue;
    conflicting = first;
    equivocators.push(validatorIndex);
  }
  if (conflicting === undefined) return false;
  onEquivocation(engine.store, equivocators);
  const slashing = { attestation1: toIndexed(conflicting), attestation2: toIndexed(vote) };
  giveEvidence(engine, { kind: "attesterSlashing", slashing });
  return true;
}

function toIndexed({ validatorIndices, data, signature }: SignedVote) {
  return { attestingIndices: [...validatorIndices], data, signature };
}

function toSignedVote({ data, attesterIndex, signature }: SingleAttestation, key: Hash): SignedVote {
  return { key, data, validatorIndices: [attesterIndex], signature };
}

/**
 * A state that knows the slot's committees: the voted head's, unless that is old. Carrying any old block's state
 * over many periods for whoever asks would be work without bound; the head's is carried once.
 */
export function stateOfVote(engine: Engine, data: AttestationData): ConsensusState | undefined {
  const { params } = engine.chain;
  const voted = getState(engine.states, toHex(data.beaconBlockRoot));
  const period = computePeriodAtSlot(data.slot, params);
  if (voted !== undefined && computePeriodAtSlot(voted.slot, params) + 1 >= period) return voted;
  return getStateInPeriod(engine, engine.store.headRoot, data.slot);
}
