/** Aggregating: who of our validators is drawn, which subnets they need, what they send. See specs/consensus/aggregation.md#duty. */
import { BitArray } from "@chainsafe/ssz";
import { getStateInPeriod } from "./advanced-state.ts";
import { noteAggregator } from "./aggregate-rules.ts";
import { isAggregated, isAggregator } from "./aggregators.ts";
import type { AggregateAndProof, SignedAggregateAndProof } from "./chain-containers.ts";
import { isFarBehind, localMembers, mayDoDuties } from "./duties.ts";
import { type CommitteeMember, type Engine, emit, openJob, type Selection } from "./engine-state.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { acceptAggregate, toSignedVote } from "./on-aggregate.ts";
import { getCommittees } from "./selection.ts";
import { aggregateSigningRoot, selectionSigningRoot } from "./signature-sets.ts";
import type { ConsensusState } from "./state.ts";
import { computeSubnet } from "./subnets.ts";
import type { Slot } from "./time.ts";
import { combineVotes, type PooledVotes } from "./vote-pool.ts";
import { voteKey } from "./vote-records.ts";

/** Slots before its duty at which an aggregator subscribes: a mesh takes a heartbeat or two to form. */
export const SUBNET_LOOKAHEAD_SLOTS = 4;

/** At a slot's start: finds out who aggregates in the slots ahead, and tells which subnets that takes. */
export function prepareAggregation(engine: Engine): void {
  const { store, chain, selections, localValidators } = engine;
  const { nowSlot } = store;
  for (const slot of selections.keys()) if (slot < nowSlot) selections.delete(slot);
  tellSubnets(engine);
  if (localValidators.size === 0 || isFarBehind(engine)) return;
  const state = getStateInPeriod(engine, store.headRoot, nowSlot);
  if (state === undefined) return;
  const first = Math.max(nowSlot, engine.selectedSlot + 1);
  for (let slot = first; slot <= nowSlot + SUBNET_LOOKAHEAD_SLOTS; slot++) {
    const committees = getCommittees(state, slot, chain.params);
    const members = isAggregated(committees) ? localMembers(engine, committees) : [];
    if (members.length > 0) askForSelections(engine, state, slot, members);
    engine.selectedSlot = slot;
  }
}

function askForSelections(
  engine: Engine,
  state: ConsensusState,
  slot: Slot,
  members: readonly CommitteeMember[],
): void {
  emit(engine, {
    type: "signSelections",
    id: openJob(engine, { kind: "selectionSigning", slot, members }),
    validatorIndices: members.map(({ validatorIndex }) => validatorIndex),
    ...{ slot, signingRoot: selectionSigningRoot(state, slot, engine.chain.params) },
  });
}

export function onSelectionsSigned(
  engine: Engine,
  slot: Slot,
  members: readonly CommitteeMember[],
  signatures: readonly (Uint8Array | undefined)[],
): void {
  const { store, chain, selections } = engine;
  const state = getStateInPeriod(engine, store.headRoot, store.nowSlot);
  if (state === undefined || slot < store.nowSlot) return;
  const committees = getCommittees(state, slot, chain.params);
  const selected = members.flatMap(({ validatorIndex, committeeIndex }, i): Selection[] => {
    const selectionProof = signatures[i];
    const size = committees[committeeIndex]?.length ?? 0;
    if (selectionProof === undefined || !isAggregator(size, selectionProof, chain.params)) return [];
    const subnet = computeSubnet(slot, committeeIndex, committees.length, chain.params);
    return [{ validatorIndex, committeeIndex, selectionProof, subnet }];
  });
  selections.set(slot, selected);
  tellSubnets(engine);
}

function tellSubnets(engine: Engine): void {
  const all = [...engine.selections.values()].flatMap((selected) => selected.map(({ subnet }) => subnet));
  const subnets = [...new Set(all)].sort((a, b) => a - b);
  if (subnets.join() === engine.announcedSubnets.join()) return;
  engine.announcedSubnets = subnets;
  emit(engine, { type: "subnetsWanted", subnets });
}

/**
 * When aggregates fall due: each drawn validator sends what is known of its committee's votes for what it voted for
 * itself, once a slot.
 */
export function aggregate(engine: Engine): void {
  const { store, chain, selections, ownVote, votePool } = engine;
  const slot = store.nowSlot;
  const selected = selections.get(slot) ?? [];
  if (engine.aggregatedSlot >= slot || selected.length === 0 || !mayDoDuties(engine)) return;
  const state = getStateInPeriod(engine, store.headRoot, slot);
  const votes = ownVote?.slot === slot ? votePool.get(ownVote.key) : undefined;
  if (state === undefined || votes === undefined) return;
  engine.aggregatedSlot = slot;
  const committees = getCommittees(state, slot, chain.params);
  const aggregates = selected.flatMap((selection): AggregateAndProof[] => {
    const committee = committees[selection.committeeIndex];
    // On another chain than the one the duty was looked up on, the validator may be in another committee.
    if (committee?.includes(selection.validatorIndex) !== true) return [];
    const message = createAggregate(engine, selection, votes, committee);
    return message === undefined ? [] : [message];
  });
  if (aggregates.length === 0) return;
  emit(engine, {
    type: "signAggregates",
    id: openJob(engine, { kind: "aggregateSigning", aggregates }),
    aggregates: aggregates.map((message) => ({
      ...{ message, signingRoot: aggregateSigningRoot(state, message, chain.params) },
    })),
  });
}

function createAggregate(
  engine: Engine,
  { validatorIndex, committeeIndex, selectionProof }: Selection,
  votes: PooledVotes,
  committee: Uint32Array,
): AggregateAndProof | undefined {
  const combined = combineVotes(votes, committeeIndex, committee);
  if (combined === undefined) return undefined;
  const committeeBits = BitArray.fromSingleBit(engine.chain.params.maxCommitteesPerSlot, committeeIndex);
  const signature = engine.aggregateSignatures(combined.signatures);
  return {
    aggregatorIndex: validatorIndex,
    aggregate: { aggregationBits: combined.bits, data: votes.data, signature, committeeBits },
    selectionProof,
  };
}

/** Signed: they count here at once, and go out. */
export function onAggregatesSigned(
  engine: Engine,
  messages: readonly AggregateAndProof[],
  signatures: readonly (Uint8Array | undefined)[],
): void {
  const { store, chain } = engine;
  const signed = messages.flatMap((message, i): SignedAggregateAndProof[] => {
    const signature = signatures[i];
    return signature === undefined ? [] : [{ message, signature }];
  });
  const state = getStateInPeriod(engine, store.headRoot, store.nowSlot);
  if (state === undefined || signed.length === 0) return;
  for (const own of signed) {
    const { aggregate: votes, aggregatorIndex } = own.message;
    noteAggregator(engine, votes.data.target.epoch, aggregatorIndex);
    const voters = getAttestingIndices(state, votes, chain.params);
    acceptAggregate(engine, toSignedVote(voteKey(votes.data), votes, voters), own);
  }
  emit(engine, { type: "publishAggregates", aggregates: signed });
}
