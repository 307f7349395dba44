/** Whose post-states are never thinned out. See specs/consensus/engine.md#states. */
import type { Hash } from "../primitives/bytes.ts";
import type { Engine } from "./engine-state.ts";

/** Without finality justified checkpoints may pile up; the next to be finalized is among the newest. */
const KEPT_JUSTIFIED_LIMIT = 32;

/** The settled finalized block, the head, and the checkpoints that may be finalized next. */
export function rootsToKeep({ store, settled }: Engine): readonly Hash[] {
  const justified = [...store.justifiedSeen.values()]
    .map(({ checkpoint }) => checkpoint)
    .sort((a, b) => b.epoch - a.epoch)
    .slice(0, KEPT_JUSTIFIED_LIMIT);
  return [settled.root, store.finalized.root, store.headRoot, ...justified.map(({ root }) => root)];
}
