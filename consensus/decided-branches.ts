/** What finality decided against, watched for proof of the opposite. See specs/consensus/finality.md#safety-fault. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { setBounded } from "./bounded-map.ts";
import { type Engine, toTreeCheckpoint } from "./engine-state.ts";
import type { TreeCheckpoint } from "./fork-choice-store.ts";
import { type ConsensusState, getCheckpointRoot } from "./state.ts";
import { getState } from "./state-cache.ts";
import { computeCheckpointSlot, type Slot } from "./time.ts";

/** A block that left the tree, of a branch given up or of our own below finality, and its post-state. */
export type DecidedBlock = { readonly slot: Slot; readonly state: ConsensusState };

/** Decided blocks kept: a branch that parts further back, or is longer than this, is not followed any more. */
export const DECIDED_BLOCKS_LIMIT = 64;

/** Keeps the states of blocks that leave the tree; the caller drops them elsewhere. */
export function keepDecided(engine: Engine, roots: Iterable<Hash>): void {
  const { states, blocks } = engine;
  const leaving = [...roots].flatMap((root) => {
    const state = getState(states, root);
    const slot = blocks.get(root)?.slot;
    return state === undefined || slot === undefined ? [] : [{ root, slot, state }];
  });
  leaving.sort((a, b) => a.slot - b.slot);
  for (const { root, slot, state } of leaving) addDecided(engine, root, { slot, state });
}

export function addDecided({ decidedBlocks }: Engine, root: Hash, decided: DecidedBlock): void {
  setBounded(decidedBlocks, root, decided, DECIDED_BLOCKS_LIMIT);
}

/** Whether a block on this parent can only be evidence: the parent has left the tree, and its state is kept. */
export function isBesideFinality({ store, decidedBlocks }: Engine, parentRoot: Hash): boolean {
  return !store.tree.indices.has(parentRoot) && decidedBlocks.has(parentRoot);
}

/**
 * The finalized checkpoint of a block beside our finality, if it contradicts ours. At our epoch or above it does:
 * the chain does not contain our finalized block. Below, it is another block than our chain's of that epoch; how that is
 * told reaches back SPHR.
 */
export function findConflict(engine: Engine, postState: ConsensusState): TreeCheckpoint | undefined {
  const theirs = toTreeCheckpoint(engine.chain, postState.finalized);
  if (theirs.epoch >= engine.store.finalized.epoch) return theirs.epoch === 0 ? undefined : theirs;
  return contradictsFinality(engine, theirs) ? theirs : undefined;
}

/** Whether our final chain has another block for a checkpoint that is not above our finality; reaches back SPHR. */
export function contradictsFinality(engine: Engine, theirs: TreeCheckpoint): boolean {
  const { store, states, chain } = engine;
  const { params } = chain;
  if (theirs.epoch === 0 || theirs.epoch > store.finalized.epoch) return false;
  if (theirs.epoch === store.finalized.epoch) return theirs.root !== store.finalized.root;
  const ours = getState(states, store.finalized.root);
  const slot = computeCheckpointSlot(theirs.epoch, params);
  // The block of a slot is in the roots of later states only.
  if (ours === undefined || slot >= ours.slot || slot + params.slotsPerHistoricalRoot <= ours.slot)
    return false;
  return toHex(getCheckpointRoot(ours, theirs.epoch, params)) !== theirs.root;
}

/** The slot from which a chain that contradicts ours can be followed: after the oldest block whose state is kept. */
export function oldestEvidenceSlot({ decidedBlocks }: Engine): Slot | undefined {
  const slots = [...decidedBlocks.values()].map(({ slot }) => slot);
  return slots.length === 0 ? undefined : Math.min(...slots) + 1;
}
