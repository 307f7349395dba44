/** States carried over empty slots to the period they are asked about. See specs/consensus/engine.md#states. */
import type { Hash } from "../primitives/bytes.ts";
import { setBounded } from "./bounded-map.ts";
import type { Engine } from "./engine-state.ts";
import { processSlots } from "./process-slots.ts";
import { type ConsensusState, forkState } from "./state.ts";
import { getState } from "./state-cache.ts";
import { computePeriodAtSlot, type Slot } from "./time.ts";

/** Advanced states kept: the head's, and a few for late votes and forks across a period's boundary. */
export const ADVANCED_STATES_LIMIT = 8;

/**
 * The block's post-state, carried to the first slot of the period of `slot` when that period is later than the
 * state's. Not to be changed. Undefined when the post-state is not kept.
 *
 * Cost: a night of empty slots takes about a second once, not once per vote.
 */
export function getStateInPeriod(engine: Engine, root: Hash, slot: Slot): ConsensusState | undefined {
  const { params } = engine.chain;
  const state = getState(engine.states, root);
  const period = computePeriodAtSlot(slot, params);
  if (state === undefined || computePeriodAtSlot(state.slot, params) >= period) return state;
  const key = `${root}:${period}`;
  let advanced = engine.advancedStates.get(key);
  if (advanced === undefined) {
    advanced = forkState(state);
    processSlots(advanced, period * params.periodSlots, params);
    setBounded(engine.advancedStates, key, advanced, ADVANCED_STATES_LIMIT);
  }
  return advanced;
}
