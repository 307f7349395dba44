/** Tells of finality and forgets what it decided against. See specs/consensus/engine.md#finality. */
import type { Hash } from "../primitives/bytes.ts";
import { addBounded } from "./bounded-map.ts";
import { keepDecided } from "./decided-branches.ts";
import { type Engine, emit, type TreeBlock } from "./engine-state.ts";
import { pruneOperations } from "./operation-pool.ts";
import { askForState } from "./rebuild-state.ts";
import { dropStates, getState } from "./state-cache.ts";

/** Roots of abandoned branches remembered, to turn their late descendants away cheaply. */
export const ABANDONED_ROOTS_LIMIT = 4096;

/**
 * After the tree was pruned to a new finalized block: hands out its state, on which a restart begins, and drops
 * blocks and states below it. When that state was thinned out, it is rebuilt first and nothing is dropped yet.
 */
export function settleFinality(engine: Engine): void {
  const { store, blocks, states, prunedRoots, settled } = engine;
  const { finalized } = store;
  const block = blocks.get(finalized.root);
  if (block === undefined || finalized.epoch === settled.epoch) return;
  const state = getState(states, finalized.root);
  if (state === undefined) {
    askForState(engine, finalized.root);
    return;
  }
  const chain: Hash[] = [];
  for (let at: TreeBlock | undefined = block; at !== undefined; at = blocks.get(at.parentRoot)) {
    chain.push(at.root);
  }
  const canonical = new Set(chain);
  const abandoned = [...prunedRoots].filter((root) => !canonical.has(root));
  const canonicalRoots = chain.slice(0, chain.indexOf(settled.root)).reverse();

  keepDecided(engine, prunedRoots);
  dropStates(states, [...prunedRoots]);
  for (const root of prunedRoots) blocks.delete(root);
  for (const root of abandoned) addBounded(engine.abandonedRoots, root, ABANDONED_ROOTS_LIMIT);
  prunedRoots.clear();
  engine.settled = finalized;
  pruneOperations(engine.operationPool, state, engine.chain.params);
  emit(engine, {
    type: "finalized",
    ...{ checkpoint: finalized, slot: block.slot, blockHash: block.blockHash, state },
    ...{ canonicalRoots, prunedRoots: abandoned },
  });
}
