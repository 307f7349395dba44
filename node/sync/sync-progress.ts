/** How fast a sync run goes and how long it will take, now and then. See specs/network/sync.md#progress. */

/** Milliseconds between two reports of a run. */
export const PROGRESS_INTERVAL_MS = 5000;

export type SyncPosition = { readonly slot: number; readonly toSlot: number; readonly imported: number };

export type SyncReport = SyncPosition & {
  readonly blocksPerSecond: number;
  /** Of the slots this run began with, a whole number. */
  readonly percent: number;
  readonly secondsLeft: number;
};

/** A watch of one run: tells every few seconds about the time since it told last. */
export function createSyncProgress(nowMs: () => number): (position: SyncPosition) => SyncReport | undefined {
  let first: (SyncPosition & { readonly atMs: number }) | undefined;
  let told: (SyncPosition & { readonly atMs: number }) | undefined;
  return (position) => {
    const now = { ...position, atMs: nowMs() };
    first ??= now;
    told ??= now;
    const seconds = (now.atMs - told.atMs) / 1000;
    if (seconds * 1000 < PROGRESS_INTERVAL_MS) return undefined;
    const { slot, toSlot, imported } = position;
    const slotsPerSecond = (slot - told.slot) / seconds;
    const blocksPerSecond = (imported - told.imported) / seconds;
    told = now;
    return {
      ...{ slot, toSlot, imported },
      blocksPerSecond: Math.round(blocksPerSecond),
      percent: toSlot <= first.slot ? 100 : Math.floor((100 * (slot - first.slot)) / (toSlot - first.slot)),
      secondsLeft:
        slotsPerSecond === 0 ? Number.POSITIVE_INFINITY : Math.ceil((toSlot - slot) / slotsPerSecond),
    };
  };
}
