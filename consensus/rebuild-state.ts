/** Dropped post-states, rebuilt from the nearest kept one by replay. See specs/consensus/engine.md#states. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { SignedBeaconBlock } from "./chain-containers.ts";
import { type Engine, emit, openJob } from "./engine-state.ts";
import { rootsToKeep } from "./roots-to-keep.ts";
import { getState, keepState } from "./state-cache.ts";
import { stateTransition } from "./state-transition.ts";

/** Blocks read at once; a longer way is gone in stages, each of which leaves a state behind. */
export const REPLAY_BLOCKS_LIMIT = 32;

/** Asks for the blocks that lead from the nearest kept state to the block's own; at most one request each. */
export function askForState(engine: Engine, target: Hash): void {
  for (const job of engine.jobs.values()) if (job.kind === "states" && job.target === target) return;
  const missing: Hash[] = [];
  let at = target;
  while (getState(engine.states, at) === undefined) {
    missing.push(at);
    const block = engine.blocks.get(at);
    assert(block !== undefined, "the state of the last settled finalized block is kept");
    at = block.parentRoot;
  }
  const roots = missing.reverse().slice(0, REPLAY_BLOCKS_LIMIT);
  emit(engine, { type: "loadBlocks", id: openJob(engine, { kind: "states", target }), roots });
}

/**
 * Replays the loaded blocks.
 * @returns whether the target's state is there now.
 */
export function onBlocksLoaded(engine: Engine, target: Hash, blocks: readonly SignedBeaconBlock[]): boolean {
  const { states, chain } = engine;
  for (const block of blocks) {
    const root = toHex(chain.containers.BeaconBlock.hashTreeRoot(block.message));
    const parentState = getState(states, toHex(block.message.parentRoot));
    // Pruned since, or not what was asked for.
    if (parentState === undefined || !engine.blocks.has(root)) continue;
    if (getState(states, root) !== undefined) continue;
    const state = stateTransition(parentState, block.message, chain.params);
    keepState(states, root, state, [...rootsToKeep(engine), target, root]);
  }
  return getState(states, target) !== undefined;
}
