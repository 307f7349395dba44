/** What is read out of a run's report. */
import type { Report } from "./observer.ts";

/** Share `q` of the values is at most this. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * q)] ?? Number.POSITIVE_INFINITY;
}

/** Slots from `fromSlot` until every honest online node had finalized an epoch that began at `fromSlot` or later. */
export function slotsToFinality({ slots }: Report, fromSlot: number, slotsPerEpoch = 1): number {
  const epoch = Math.ceil(fromSlot / slotsPerEpoch);
  const found = slots.find(({ slot, finalized }) => slot >= fromSlot && finalized[0] >= epoch);
  return (found?.slot ?? Number.POSITIVE_INFINITY) - fromSlot;
}

/** Whether an epoch that began so many slots after `fromSlot` is final everywhere: time to end the run. */
export function isFinalPast(fromSlot: number, slotsPerEpoch = 1): (slots: Report["slots"]) => boolean {
  return (slots) => (slots.at(-1)?.finalized[0] ?? 0) * slotsPerEpoch >= fromSlot + SETTLED_SLOTS;
}

/** Slots that must be final after trouble has ended, before a run does; evidence has its time in them. */
const SETTLED_SLOTS = 12;

/** The most slots by which finality lagged at the end of a slot from `fromSlot` on. */
export function worstLag({ slots }: Report, fromSlot: number, slotsPerEpoch = 1): number {
  const lags = slots
    .filter(({ slot }) => slot >= fromSlot)
    .map(({ slot, finalized }) => slot - finalized[0] * slotsPerEpoch);
  return Math.max(...lags);
}

/** Blocks of honest nodes with a slot in [from, to) that did not stay in the chain. */
export function honestOrphansBetween({ honestOrphans }: Report, from: number, to: number): number {
  return honestOrphans.filter((slot) => slot >= from && slot < to).length;
}
