/** The justified checkpoints of a chain, one per epoch at most. See specs/consensus/finality.md#the-justified-ring. */
import type { Checkpoint } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import { computeCheckpointSlot, type Epoch } from "./time.ts";

/** The justified checkpoint of `epoch`, if there is one. Cost: a binary search. */
export function findJustified(state: ConsensusState, epoch: Epoch): Checkpoint | undefined {
  const index = lowerBound(state, epoch);
  const found = index < state.justifiedRing.length ? state.justifiedRing.get(index) : undefined;
  return found?.epoch === epoch ? found : undefined;
}

/** Whether every epoch in [first, last] is justified. */
export function areAllJustified(state: ConsensusState, first: Epoch, last: Epoch): boolean {
  if (first > last) return true;
  const index = lowerBound(state, first) + (last - first);
  // Epochs are unique and ascending: the k-th after `first` is first + k only if none is missing.
  return (
    findJustified(state, first) !== undefined &&
    index < state.justifiedRing.length &&
    state.justifiedRing.get(index).epoch === last
  );
}

/** Justified checkpoints with an epoch of at least `epoch`, ascending. */
export function justifiedSince(state: ConsensusState, epoch: Epoch): readonly Checkpoint[] {
  const found: Checkpoint[] = [];
  const ring = state.justifiedRing;
  for (let i = lowerBound(state, epoch); i < ring.length; i++) found.push(ring.get(i));
  return found;
}

/** Adds a checkpoint; false when its epoch was justified before. Cost: O(entries above it), usually none. */
export function addJustified(state: ConsensusState, checkpoint: Checkpoint): boolean {
  const ring = state.justifiedRing;
  const index = lowerBound(state, checkpoint.epoch);
  if (index < ring.length && ring.get(index).epoch === checkpoint.epoch) return false;
  let moved = checkpoint;
  for (let i = index; i < ring.length; i++) {
    const next = ring.get(i);
    ring.set(i, moved);
    moved = next;
  }
  ring.push(moved);
  return true;
}

/**
 * Period work: forgets the entries that are older than SPHR and below finality. Both must hold: an old source is
 * still the only one honest validators can name while a third is offline.
 */
export function dropOldJustified(state: ConsensusState, params: ChainParams): void {
  const ring = state.justifiedRing;
  let dropped = 0;
  while (dropped < ring.length && isForgotten(state, ring.get(dropped).epoch, params)) dropped++;
  if (dropped === 0) return;
  state.justifiedRing = ring.sliceFrom(dropped);
}

function isForgotten(state: ConsensusState, epoch: Epoch, params: ChainParams): boolean {
  const lastUse = computeCheckpointSlot(epoch, params) + params.slotsPerHistoricalRoot;
  const isKept = params.rules.ringKeptAboveFinality && epoch >= state.finalized.epoch;
  return lastUse < state.slot && !isKept;
}

/** Position of the first entry with an epoch of at least `epoch`. */
function lowerBound(state: ConsensusState, epoch: Epoch): number {
  const ring = state.justifiedRing;
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring.get(middle).epoch < epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}
