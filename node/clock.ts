/** Wall-clock time as the chain counts it, and a wake-up at each moment of a slot that matters. */

/** Moments of a slot as fractions of its duration; 0 is the slot's start. See specs/consensus/duties.md. */
export type SlotClockOptions = {
  /** Milliseconds since 1970. */
  readonly genesisTimeMs: number;
  readonly slotDurationMs: number;
  /** Milliseconds into a slot at which to wake, ascending, beginning with 0. */
  readonly wakeAtMs: readonly number[];
  /** Milliseconds since 1970; a parameter so that specs own the time. */
  readonly now: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
};

export const systemTime = {
  now: () => Date.now(),
  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `wake` with the milliseconds since genesis at every wake-up moment from now on. Moments that passed
 * while the process was busy or asleep are not made up for one by one: the next call tells the present time.
 * @returns the function that stops it.
 */
export function startSlotClock(
  options: SlotClockOptions,
  wake: (sinceGenesisMs: number) => void,
): () => void {
  const sinceGenesis = () => options.now() - options.genesisTimeMs;
  let cancel = schedule(sinceGenesis());

  function schedule(afterMs: number): () => void {
    const target = nextWakeMs(options, afterMs);
    return options.setTimer(
      () => {
        const present = sinceGenesis();
        // Timers may fire a millisecond early: then wait for the rest.
        if (present >= target) wake(present);
        cancel = schedule(present);
      },
      Math.max(0, target - sinceGenesis()),
    );
  }
  return () => cancel();
}

/** The first wake-up moment strictly after `afterMs`, both in milliseconds since genesis. */
export function nextWakeMs(
  { slotDurationMs, wakeAtMs }: Pick<SlotClockOptions, "slotDurationMs" | "wakeAtMs">,
  afterMs: number,
): number {
  const slotStart = Math.floor(afterMs / slotDurationMs) * slotDurationMs;
  const inSlot = wakeAtMs.find((moment) => slotStart + moment > afterMs);
  return inSlot === undefined ? slotStart + slotDurationMs + (wakeAtMs[0] ?? 0) : slotStart + inSlot;
}
