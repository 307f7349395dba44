/** Advances a state over slots without a block. See specs/consensus/state-transition.md#slots. */
import { LeafNode, subtreeFillToDepth } from "@chainsafe/persistent-merkle-tree";
import { assert } from "../primitives/errors.ts";
import { containersOf } from "./chain-containers.ts";
import { BeaconBlockHeader } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { processPeriod } from "./process-period.ts";
import { type ConsensusState, getLatestBlockHeader } from "./state.ts";
import { computePeriodAtSlot, type Slot } from "./time.ts";

/**
 * Moves the state to the beginning of `slot`: block roots are written, and the work of each period entered is
 * done. An empty slot has no work of its own.
 *
 * Cost: O(periods) plus O(slots), the latter at most SPHR.
 *
 * @param slot not before the state's; the caller has bounded it by the clock.
 */
export function processSlots(state: ConsensusState, slot: Slot, params: ChainParams): void {
  assert(slot >= state.slot, "a state only moves forward");
  if (slot === state.slot) return;

  const header = getLatestBlockHeader(state);
  state.latestBlockHeader = header;
  writeBlockRoots(state, slot, BeaconBlockHeader.hashTreeRoot(header), params);

  const lastPeriod = computePeriodAtSlot(slot, params);
  for (let period = computePeriodAtSlot(state.slot, params) + 1; period <= lastPeriod; period++) {
    state.slot = period * params.periodSlots;
    processPeriod(state, period, lastPeriod, params);
  }
  state.slot = slot;
}

/** The last block's root for every slot from the state's up to, not including, `end`. */
function writeBlockRoots(state: ConsensusState, end: Slot, root: Uint8Array, params: ChainParams): void {
  const length = params.slotsPerHistoricalRoot;
  if (end - state.slot >= length) {
    const { BlockRoots } = containersOf(params);
    state.blockRoots = BlockRoots.getViewDU(subtreeFillToDepth(LeafNode.fromRoot(root), BlockRoots.depth));
    return;
  }
  for (let slot = state.slot; slot < end; slot++) state.blockRoots.set(slot % length, root);
}
