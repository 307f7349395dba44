/** Snapshots, and that nothing else outlives a run. specs/vm/engine/engine.md#snapshots */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { readEngineImage } from "../../../node/engine-image.ts";
import { createEngine, type Engine } from "../../../vm/engine/engine.ts";
import type { RunResult } from "../../../vm/engine/host.ts";
import { INITIAL_PAGES, PAGE_BYTES } from "../../../vm/engine/image.ts";
import type { EngineInstance } from "../../../vm/engine/instance.ts";
import { Machine } from "../../../vm/engine/machine.ts";
import { DATA_END, STACK_TOP } from "../../../vm/engine/memory-layout.ts";
import {
  applyDelta,
  encodeDelta,
  type Snapshot,
  SnapshotError,
  snapshotOf,
} from "../../../vm/engine/snapshot.ts";
import { restoreAll } from "../../../vm/engine/written-pages.ts";
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

  it("are the pages that differ from the base, and are rebuilt from them", () => {
    const { base } = engine.base;
    const delta = encodeDelta(contract);
    deepEqual(applyDelta(base, delta), contract);
    equal(delta.length < 40_000, true, String(delta.length));
    equal(contract.pages.length < 200, true, `${contract.pages.length} pages`);
    deepEqual(encodeDelta(engine.base), new Uint8Array(4));
    deepEqual(applyDelta(base, new Uint8Array(4)), engine.base);
  });

  it("are rebuilt from their difference, whatever differs, and have one", () => {
    const { base } = engine.base;
    const kept = fc.integer({ min: 0, max: 2047 }).filter((page) => page <= 88 || page >= 768);
    const change = fc.record({
      page: kept,
      at: fc.nat(255),
      word: fc.oneof(fc.constant(0), fc.nat(), fc.constant(-1)),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const memory = base.words.slice();
        for (const { page, at, word } of changes) memory[256 * page + (page === 88 ? at % 24 : at)] = word;
        const everyPage = Array.from({ length: 2048 }, (_, page) => page);
        const snapshot = snapshotOf(base, memory, everyPage);
        const rebuilt = applyDelta(base, encodeDelta(snapshot));
        deepEqual(rebuilt, snapshot);
        const restored = new Uint8Array(memory.length * 4);
        restoreAll(restored, new Uint32Array(restored.buffer), rebuilt);
        equal(Buffer.compare(restored, Buffer.from(memory.buffer)), 0);
      }),
      { numRuns: 50 },
    );
  });

  it("leave out what is on the stack", () => {
    const { base } = engine.base;
    const memory = base.words.slice().fill(7, DATA_END / 4, STACK_TOP / 4);
    const everyPage = Array.from({ length: 2048 }, (_, page) => page);
    deepEqual(snapshotOf(base, memory, everyPage), engine.base);
  });

  it("refuse a difference that is not one", () => {
    const { base } = engine.base;
    const delta = encodeDelta(contract);
    const refused = (bytes: Uint8Array) => throws(() => applyDelta(base, bytes), SnapshotError);
    for (let length = 0; length < delta.length; length += 97) refused(delta.subarray(0, length));
    refused(Uint8Array.of(...delta, 0));
    refused(Uint8Array.of(...delta, ...delta));
    const wordBytes = (...words: number[]) => new Uint8Array(Uint32Array.from(words).buffer);
    const refusedWords = (...words: number[]) => refused(wordBytes(...words));
    const noWord = new Array<number>(8).fill(0);
    const firstWord = [1, 0, 0, 0, 0, 0, 0, 0];
    deepEqual(applyDelta(base, wordBytes(1, 2047, ...firstWord, 5)).pages, Uint16Array.of(2047));
    refusedWords(1, 2047, ...noWord);
    refusedWords(1, 200, ...firstWord, 5);
    refusedWords(2, 2047, ...firstWord, 5);
    refusedWords(2, 2047, ...firstWord, 5, 2046, ...firstWord, 5);
  });
});
