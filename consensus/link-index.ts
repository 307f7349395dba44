/** Which links (source and target epoch) votes were seen on, to find those that cross. See specs/consensus/slasher.md#links. */
import type { Epoch } from "./time.ts";

export type Link = { readonly source: Epoch; readonly target: Epoch };

/** Distinct links by target. Honest voters of an epoch use one or two, so it grows with time and hardly with validators. */
export type LinkIndex = { readonly sources: Map<Epoch, Set<Epoch>>; lowest: Epoch; highest: Epoch };

export function createLinkIndex(): LinkIndex {
  return { sources: new Map(), lowest: Number.POSITIVE_INFINITY, highest: 0 };
}

export function addLink(index: LinkIndex, { source, target }: Link): void {
  const known = index.sources.get(target);
  if (known === undefined) index.sources.set(target, new Set([source]));
  else known.add(source);
  index.lowest = Math.min(index.lowest, target);
  index.highest = Math.max(index.highest, target);
}

/** Forgets links to epochs below `epoch`. */
export function dropLinksBelow(index: LinkIndex, epoch: Epoch): void {
  for (let target = index.lowest; target < epoch && target <= index.highest; target++) {
    index.sources.delete(target);
  }
  index.lowest = Math.max(index.lowest, epoch);
}

/**
 * Links on which a voter for this link must not have voted otherwise: to the same target, around it, or inside it.
 *
 * Cost: the epochs between source and target, and those from the target to the newest; for a fresh honest vote a few.
 */
export function findCrossing(index: LinkIndex, { source, target }: Link): readonly Link[] {
  const crossing: Link[] = [];
  for (let other = Math.max(source + 1, index.lowest); other <= index.highest; other++) {
    for (const from of index.sources.get(other) ?? []) {
      const isInside = other < target && from > source;
      const isAround = other > target && from < source;
      if (isInside || isAround || other === target) crossing.push({ source: from, target: other });
    }
  }
  return crossing;
}
