/** What a slot brought, told once at its end. See specs/consensus/engine.md#slot-summary. */

import { getStateInPeriod } from "./advanced-state.ts";
import { isFarBehind, mayDoDuties } from "./duties.ts";
import type { SlotSummary } from "./engine-events.ts";
import { type Engine, slotDurationMs } from "./engine-state.ts";
import { getActiveIndices, getRegistry } from "./registry.ts";
import { getCommittees } from "./selection.ts";
import { computeEpochAtSlot, type Slot } from "./time.ts";

export function summarizeSlot(engine: Engine): SlotSummary {
  const { store, blocks, voteRecords, chain, localValidators } = engine;
  const slot = store.nowSlot;
  const votes = [...(voteRecords.get(computeEpochAtSlot(slot, chain.params)) ?? [])]
    .filter(([, vote]) => vote.data.slot === slot)
    .map(([validatorIndex]) => validatorIndex);
  const finalizedSlot = blocks.get(store.finalized.root)?.slot ?? 0;
  const arrival = engine.blockArrivalMs;
  return {
    slot,
    headSlot: blocks.get(store.headRoot)?.slot ?? 0,
    headRoot: store.headRoot,
    justifiedEpoch: store.justified.epoch,
    finalizedEpoch: store.finalized.epoch,
    finalizedSlot,
    finalityLagSlots: slot - finalizedSlot,
    isSynced: mayDoDuties(engine),
    blockArrivalMs: arrival === undefined ? undefined : arrival - slot * slotDurationMs(engine),
    votes: votes.length,
    ...countVoters(engine, slot),
    localVotes: votes.filter((validatorIndex) => localValidators.has(validatorIndex)).length,
    treeBlocks: store.tree.length,
    keptStates: engine.states.entries.size,
  };
}

function countVoters(engine: Engine, slot: Slot): Pick<SlotSummary, "voters" | "activeValidators"> {
  const { params } = engine.chain;
  const state = isFarBehind(engine) ? undefined : getStateInPeriod(engine, engine.store.headRoot, slot);
  if (state === undefined) return { voters: 0, activeValidators: 0 };
  const committees = getCommittees(state, slot, params);
  return {
    voters: committees.reduce((sum, { length }) => sum + length, 0),
    activeValidators: getActiveIndices(getRegistry(state, params), computeEpochAtSlot(slot, params), params)
      .length,
  };
}
