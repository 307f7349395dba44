/** Snapshots, and that nothing else outlives a run. specs/vm/engine/engine.md#snapshots */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { readEngineImage } from "../../../node/engine-image.ts";
import { createEngine, type Engine } from "../../../vm/engine/engine.ts";
import type { RunResult } from "../../../vm/engine/host.ts";
import { INITIAL_PAGES, PAGE_BYTES } from "../../../vm/engine/image.ts";
import type { EngineInstance } from "../../../vm/engine/instance.ts";
import { Machine } from "../../../vm/engine/machine.ts";
import { MARKED_PAGE_SHIFT, STACK_TOP } from "../../../vm/engine/memory-layout.ts";
import { applyDelta, encodeDelta, type Snapshot, SnapshotError } from "../../../vm/engine/snapshot.ts";
import { CALL_TICKS, EVALUATION_TICKS, noHost, SPEC_STD, specEngine } from "./guest-programs.ts";

const COUNTER = `
  let count = 0; const seen = new Map(); const cache = [];
  const programs = {
    count: () => { seen.set(count, count); return String(++count) + seen.size + cache.length },
    spoil: () => { count = 100; seen.set("x", 1); cache.push(...seen); return "spoilt" },
    spin: () => { count = 100; cache.push(1); for (;;); },
    deep: () => { count = 100; return programs.deep() },
    hog: () => { count = 100; for (;;) cache.push(new Uint8Array(1e6)) },
    break: () => { count = 100; [].toReversed.call({ length: 2 ** 29 + 1 }) },
    throw: () => { count = 100; throw new Error("thrown") },
    host: () => { count = 100; callHost(1) },
  };
  import { host as callHost } from "chain:std";
  export default (argument) => programs[argument]();
`;

const contentOf = ({ data, heap }: Snapshot) => ({ data, heap });

describe("engine: snapshots", () => {
  let engine: Engine;
  let instance: EngineInstance;
  let contract: Snapshot;

  before(() => {
    engine = specEngine();
    instance = engine.createInstance();
    instance.evaluateModule(COUNTER, EVALUATION_TICKS, noHost);
    contract = instance.takeSnapshot();
  });

  const call = (program: string): RunResult => instance.call("call", program, CALL_TICKS, noHost);
  const callAfresh = (program: string): RunResult => {
    instance.restore(contract);
    return call(program);
  };

  it("keep module state between calls only without a restore", () => {
    const first = callAfresh("count");
    deepEqual({ ...first, ticksUsed: 0 }, { outcome: "ok", value: "110", ticksUsed: 0 });
    equal((call("count") as { value: string }).value, "220");
    deepEqual(callAfresh("count"), first);
  });

  for (const [program, outcome] of Object.entries({
    spoil: "ok",
    throw: "exception",
    spin: "out of gas",
    deep: "stack limit",
    hog: "out of memory",
    break: "trap",
  })) {
    it(`bring everything back after a run that ends with ${outcome}`, () => {
      const before = callAfresh("count");
      equal(callAfresh(program).outcome, outcome);
      deepEqual(callAfresh("count"), before);
    });
  }

  it("bring everything back after a host function ended the run", () => {
    const before = callAfresh("count");
    instance.restore(contract);
    throws(() => {
      instance.call("call", "host", CALL_TICKS, () => {
        throw new Error("the host's own");
      });
    }, /the host's own/);
    deepEqual(callAfresh("count"), before);
  });

  it("clear all of the memory, whatever was written there", () => {
    const machine = new Machine(new WebAssembly.Module(readEngineImage()), { usedBytes: 0 });
    machine.restore(contract);
    const expected = machine.guest.bytes.slice();
    machine.guest.bytes.fill(0xaa);
    machine.restore(contract);
    deepEqual(machine.guest.bytes, expected);
    equal(expected.length, INITIAL_PAGES * PAGE_BYTES);
  });

  it("fit every instance", () => {
    const other = engine.createInstance();
    other.restore(contract);
    deepEqual(other.call("call", "count", CALL_TICKS, noHost), callAfresh("count"));
    deepEqual(other.takeSnapshot(), instance.takeSnapshot());
  });

  it("are the same from every engine, and named by its id", () => {
    const again = createEngine({ wasm: readEngineImage(), std: SPEC_STD });
    deepEqual(again.base, engine.base);
    equal(again.id, engine.id);
    const different = createEngine({ wasm: readEngineImage(), std: `${SPEC_STD}\n export const more = 1;` });
    equal(different.id === engine.id, false);
  });

  it("start an engine without a boot", () => {
    const again = createEngine({ wasm: readEngineImage(), boot: engine.exportBoot() });
    equal(again.id, engine.id);
    const other = again.createInstance();
    other.restore(contract);
    deepEqual(other.call("call", "count", CALL_TICKS, noHost), callAfresh("count"));
    deepEqual(again.exportBoot(), engine.exportBoot());
  });

  it("are rebuilt from their difference to the base", () => {
    const delta = encodeDelta(engine.base, contract);
    deepEqual(contentOf(applyDelta(engine.base, delta)), contentOf(contract));
    equal(delta.length < 20_000, true, String(delta.length));
    deepEqual(encodeDelta(engine.base, applyDelta(engine.base, delta)), delta);
    deepEqual(applyDelta(engine.base, encodeDelta(engine.base, engine.base)), engine.base);
    const known = new Set(contract.pages);
    deepEqual(
      applyDelta(engine.base, delta).pages.filter((page) => !known.has(page)),
      [],
    );
  });

  it("are rebuilt from their difference, for any bytes", () => {
    const bytes = fc.uint8Array({ max: 3, maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (baseData, dataChange, baseHeap, heap) => {
        const data = baseData.map((byte, index) => dataChange[index] ?? byte);
        const base = { data: baseData, heap: baseHeap, pages: [] };
        const snapshot = { data, heap, pages: [0, STACK_TOP >> MARKED_PAGE_SHIFT] };
        deepEqual(contentOf(applyDelta(base, encodeDelta(base, snapshot))), { data, heap });
      }),
    );
  });

  it("refuse a difference that is not one", () => {
    const delta = encodeDelta(engine.base, contract);
    for (let length = 0; length < delta.length; length += 97) {
      throws(() => applyDelta(engine.base, delta.subarray(0, length)), SnapshotError);
    }
    throws(() => applyDelta(engine.base, Uint8Array.of(...delta, 0)), SnapshotError);
  });
});
