import { deepEqual, equal } from "node:assert/strict";
import { createSyncProgress } from "../../node/sync/sync-progress.ts";

describe("sync: progress", () => {
  it("tells pace, share and time left every five seconds, of the time since it told last", () => {
    let now = 0;
    const watch = createSyncProgress(() => now);
    const at = (seconds: number, slot: number, imported: number) => {
      now = seconds * 1000;
      return watch({ slot, toSlot: 1100, imported });
    };
    equal(at(0, 100, 0), undefined);
    equal(at(4, 180, 80), undefined);
    const first = {
      slot: 200,
      toSlot: 1100,
      imported: 90,
      blocksPerSecond: 18,
      percent: 10,
      secondsLeft: 45,
    };
    deepEqual(at(5, 200, 90), first);
    equal(at(9, 500, 390), undefined);
    const second = {
      slot: 600,
      toSlot: 1100,
      imported: 490,
      blocksPerSecond: 40,
      percent: 50,
      secondsLeft: 13,
    };
    deepEqual(at(15, 600, 490), second);
  });

  it("does not pretend to know the end of a run that stands still", () => {
    let now = 0;
    const watch = createSyncProgress(() => now);
    watch({ slot: 7, toSlot: 7, imported: 0 });
    now = 5000;
    deepEqual(watch({ slot: 7, toSlot: 7, imported: 0 }), {
      ...{ slot: 7, toSlot: 7, imported: 0 },
      ...{ blocksPerSecond: 0, percent: 100, secondsLeft: Number.POSITIVE_INFINITY },
    });
  });
});
