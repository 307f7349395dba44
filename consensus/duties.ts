/** Voting: one vote per local validator and epoch. See specs/consensus/duties.md#voting. */
import { fromHex, ZERO_HASH } from "../primitives/bytes.ts";
import { getStateInPeriod } from "./advanced-state.ts";
import type { AttestationData, SingleAttestation } from "./containers.ts";
import {
  type CommitteeMember,
  type Engine,
  emit,
  type OwnVote,
  openJob,
  slotDurationMs,
} from "./engine-state.ts";
import { bestSource, checkpointBlock, type TreeCheckpoint } from "./fork-choice-store.ts";
import { updateHead } from "./head.ts";
import { acceptVote } from "./on-attestation.ts";
import { countHeardPeers } from "./peer-claims.ts";
import { askForState } from "./rebuild-state.ts";
import { getCommittees } from "./selection.ts";
import { attestationSigningRoot } from "./signature-sets.ts";
import { computeSubnet } from "./subnets.ts";
import { isGateOpen } from "./sync-gate.ts";
import { computeEpochAtSlot, computePeriodAtSlot } from "./time.ts";
import { voteKey } from "./vote-records.ts";

/** Whether this node may propose and vote now. */
export function mayDoDuties(engine: Engine): boolean {
  const { store, gate, chain } = engine;
  const isClockGood = Math.abs(engine.clockOffsetMs) <= slotDurationMs(engine) / 2;
  if ((engine.isFaulted && chain.params.rules.faultEndsDuties) || !isClockGood) return false;
  const headSlot = engine.blocks.get(store.headRoot)?.slot ?? 0;
  const peers = countHeardPeers(engine);
  return isGateOpen(gate, chain.params, { nowSlot: store.nowSlot, headSlot, peers });
}

/** Periods over which a state is carried for nothing but figures and work done ahead. */
const FAR_BEHIND_PERIODS = 2;

/**
 * Whether the head is so old, for a node that does no duties on it, that carrying its state to now is work for nothing: the
 * next block moves the head, and an hour of empty slots takes half a second each time.
 */
export function isFarBehind(engine: Engine): boolean {
  const { store, blocks, chain } = engine;
  const headPeriod = computePeriodAtSlot(blocks.get(store.headRoot)?.slot ?? 0, chain.params);
  const nowPeriod = computePeriodAtSlot(store.nowSlot, chain.params);
  if (nowPeriod <= headPeriod + FAR_BEHIND_PERIODS) return false;
  return engine.localValidators.size === 0 || !mayDoDuties(engine);
}

/**
 * Votes for the current slot with all local validators that are on duty, unless it was done. Called when the
 * slot's block was imported and when votes fall due, whichever is first. There is no duty in epoch 0.
 */
export function attest(engine: Engine): void {
  const { store, chain, localValidators } = engine;
  const { params } = chain;
  const slot = store.nowSlot;
  const epoch = computeEpochAtSlot(slot, params);
  if (epoch === 0 || engine.attestedSlot >= slot || localValidators.size === 0) return;
  if (!mayDoDuties(engine)) return;

  const headRoot = updateHead(engine);
  const state = getStateInPeriod(engine, headRoot, slot);
  const source = bestSource(store, headRoot, epoch);
  const target = checkpointBlock(store, headRoot, epoch);
  if (state === undefined) askForState(engine, headRoot);
  if (state === undefined || source === undefined || target === undefined) return;
  engine.attestedSlot = slot;

  const committees = getCommittees(state, slot, params);
  const members = localMembers(engine, committees);
  if (members.length === 0) return;
  const data: AttestationData = {
    ...{ slot, index: 0, beaconBlockRoot: fromHex(headRoot) },
    source: toStateCheckpoint(engine, source.checkpoint),
    target: toStateCheckpoint(engine, { epoch, root: target }),
  };
  const validatorIndices = members.map(({ validatorIndex }) => validatorIndex);
  const vote = {
    ...{ data, committees: committees.length },
    committeeIndices: members.map(({ committeeIndex }) => committeeIndex),
  };
  emit(engine, {
    type: "signAttestation",
    id: openJob(engine, { kind: "attestationSigning", validatorIndices, vote }),
    ...{ validatorIndices, data, proofRoot: source.proofRoot },
    signingRoot: attestationSigningRoot(state, data, params),
  });
}

/** Our validators in these committees. */
export function localMembers(
  { localValidators }: Engine,
  committees: readonly Uint32Array[],
): CommitteeMember[] {
  return committees.flatMap((committee, committeeIndex) =>
    [...committee]
      .filter((validatorIndex) => localValidators.has(validatorIndex))
      .map((validatorIndex) => ({ validatorIndex, committeeIndex })),
  );
}

/** In states and votes the genesis checkpoint has a zero root; as a target no epoch is 0. */
function toStateCheckpoint({ chain }: Engine, { epoch, root }: TreeCheckpoint): AttestationData["source"] {
  const isGenesis = epoch === 0 && root === chain.genesisRoot;
  return { epoch, root: fromHex(isGenesis ? ZERO_HASH : root) };
}

/** The keys signed, those that may: the votes count here at once and go out, one message a committee. */
export function onAttestationSigned(
  engine: Engine,
  vote: OwnVote,
  validatorIndices: readonly number[],
  signatures: readonly (Uint8Array | undefined)[],
): void {
  const { data } = vote;
  const key = voteKey(data);
  engine.ownVote = { slot: data.slot, key };
  const byCommittee = new Map<number, SingleAttestation[]>();
  for (const [i, attesterIndex] of validatorIndices.entries()) {
    const signature = signatures[i];
    if (signature === undefined) continue;
    const committeeIndex = vote.committeeIndices[i] ?? 0;
    const attestation = { committeeIndex, attesterIndex, data, signature };
    const attestations = byCommittee.get(committeeIndex);
    if (attestations === undefined) byCommittee.set(committeeIndex, [attestation]);
    else attestations.push(attestation);
    acceptVote(engine, { key, data, validatorIndices: [attesterIndex], signature });
  }
  for (const [committeeIndex, attestations] of byCommittee) {
    const subnet = subnetOf(engine, vote, committeeIndex);
    emit(engine, { type: "publishAttestations", attestations, subnet });
  }
}

/** Undefined where a slot has one committee: its votes go out on one topic, unaggregated. */
function subnetOf({ chain }: Engine, { data, committees }: OwnVote, committeeIndex: number) {
  return committees === 1 ? undefined : computeSubnet(data.slot, committeeIndex, committees, chain.params);
}
