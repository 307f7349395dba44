/** Post-states of unfinalized blocks, a bounded number of them. See specs/consensus/engine.md#states. */
import type { Hash } from "../primitives/bytes.ts";
import type { BeaconStateView } from "./state-containers.ts";
import type { Slot } from "./time.ts";

/**
 * States kept at most. They share what they do not change (tens of kilobytes apiece on a small chain), and a
 * chain that finalizes needs four; the rest is for times without finality.
 */
export const KEPT_STATES_LIMIT = 192;
/** The newest are never thinned out: forks and late votes need them. */
const RECENT_STATES = 64;

type Entry = { readonly root: Hash; readonly slot: Slot; readonly state: BeaconStateView };

export type StateCache = { readonly entries: Map<Hash, Entry> };

export function createStateCache(): StateCache {
  return { entries: new Map() };
}

/** The block's post-state, not to be changed: clone it first. */
export function getState(cache: StateCache, root: Hash): BeaconStateView | undefined {
  return cache.entries.get(root)?.state;
}

/** Keeps a state; above the limit thins out the old ones, never those of `protectedRoots`. */
export function keepState(
  cache: StateCache,
  root: Hash,
  state: BeaconStateView,
  protectedRoots: readonly Hash[],
): void {
  cache.entries.set(root, { root, slot: state.slot, state });
  if (cache.entries.size > KEPT_STATES_LIMIT) thinOut(cache, protectedRoots);
}

export function dropStates(cache: StateCache, roots: readonly Hash[]): void {
  for (const root of roots) cache.entries.delete(root);
}

/**
 * Drops the old state that costs least to rebuild for its age: gaps between kept states grow with age, so that
 * a thousand slots without finality are spanned by a hundred states.
 */
function thinOut(cache: StateCache, protectedRoots: readonly Hash[]): void {
  const bySlot = [...cache.entries.values()].sort((a, b) => a.slot - b.slot);
  const newestSlot = bySlot.at(-1)?.slot ?? 0;
  let cheapest: Entry | undefined;
  let lowestCost = Number.POSITIVE_INFINITY;
  for (const [i, entry] of bySlot.slice(0, -RECENT_STATES).entries()) {
    if (i === 0 || protectedRoots.includes(entry.root)) continue;
    const gap = (bySlot[i + 1]?.slot ?? newestSlot) - (bySlot[i - 1]?.slot ?? 0);
    const cost = gap / (1 + newestSlot - entry.slot);
    if (cost < lowestCost) {
      cheapest = entry;
      lowestCost = cost;
    }
  }
  if (cheapest !== undefined) cache.entries.delete(cheapest.root);
}
