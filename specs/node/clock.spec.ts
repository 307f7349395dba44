import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { nextWakeMs, startSlotClock } from "../../node/clock.ts";

const slots = { slotDurationMs: 1000, wakeAtMs: [0, 500, 900] };

/** A clock whose time only `advance` moves. */
function manualTime(startMs: number) {
  let present = startMs;
  let timer: { readonly atMs: number; readonly callback: () => void } | undefined;
  return {
    now: () => present,
    setTimer(callback: () => void, delayMs: number) {
      const mine = { atMs: present + delayMs, callback };
      timer = mine;
      return () => {
        if (timer === mine) timer = undefined;
      };
    },
    isIdle: () => timer === undefined,
    /** Jumps to `target` and fires the timer if it is due, once per call, as a busy process would. */
    jumpTo(target: number) {
      present = target;
      const due = timer;
      if (due === undefined || due.atMs > present) return;
      timer = undefined;
      due.callback();
    },
  };
}

describe("the slot clock", () => {
  it("wakes at each moment of a slot, before genesis too", () => {
    deepEqual(
      [-1001, -1000, -1, 0, 1, 499, 500, 899, 900, 999, 1000].map((after) => nextWakeMs(slots, after)),
      [-1000, -500, 0, 500, 500, 500, 900, 900, 1000, 1000, 1500],
    );
  });

  it("never wakes at a moment that is not in the future", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e12 }), (after) => {
        const next = nextWakeMs(slots, after);
        equal(next > after && next - after <= 500, true);
      }),
    );
  });

  it("tells the present once after a sleep, instead of every moment missed", () => {
    const time = manualTime(10_000);
    const woken: number[] = [];
    const stop = startSlotClock({ ...slots, ...time, genesisTimeMs: 10_000 }, (ms) => woken.push(ms));
    for (const at of [10_500, 10_900, 3_600_123, 3_600_500]) time.jumpTo(at);
    deepEqual(woken, [500, 900, 3_590_123, 3_590_500]);
    stop();
    equal(time.isIdle(), true);
  });

  it("waits on when a timer fires early", () => {
    const time = manualTime(0);
    const woken: number[] = [];
    let fire = () => {};
    const setTimer = (callback: () => void) => {
      fire = callback;
      return () => {};
    };
    startSlotClock({ ...slots, now: time.now, setTimer, genesisTimeMs: 0 }, (ms) => woken.push(ms));
    time.jumpTo(499);
    fire();
    deepEqual(woken, []);
    time.jumpTo(500);
    fire();
    deepEqual(woken, [500]);
  });
});
