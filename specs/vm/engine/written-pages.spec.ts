/** A restore by written pages comes to what a restore of everything comes to. specs/vm/engine/engine.md#written-pages */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { INITIAL_PAGES, PAGE_BYTES } from "../../../vm/engine/image.ts";
import type { EngineInstance } from "../../../vm/engine/instance.ts";
import { Machine } from "../../../vm/engine/machine.ts";
import {
  DATA_END,
  MARKED_PAGE_BYTES,
  MARKED_PAGE_SHIFT,
  MARKS_ADDRESS,
  MARKS_BYTES,
  STACK_TOP,
  STORE_REACH_BYTES,
} from "../../../vm/engine/memory-layout.ts";
import { baseImage, type Snapshot, snapshotOf } from "../../../vm/engine/snapshot.ts";
import {
  areMarksSpoilt,
  markWritten,
  restoreAll,
  restoreWritten,
  writtenPages,
} from "../../../vm/engine/written-pages.ts";
import { CALL_TICKS, EVALUATION_TICKS, noHost, specEngine } from "./guest-programs.ts";

const MEMORY_BYTES = INITIAL_PAGES * PAGE_BYTES;

/** What every kind of instruction that writes does, and runs that end badly. */
const PROGRAMS: Readonly<Record<string, string>> = {
  objects:
    "const o = {}; for (let i = 0; i < 500; i++) o['k' + i] = [i, { i }]; return Object.keys(o).length",
  classes:
    "class A { #x = 1; get x() { return this.#x++ } } let s = 0; const a = new A(); for (let i = 0; i < 99; i++) s += a.x; return s",
  strings:
    "let s = ''; for (let i = 0; i < 300; i++) s += i.toString(7) + 'ß€'; return s.split('ß').reverse().join('')",
  bytes: "return new Uint8Array(30000).fill(7).copyWithin(99, 3, 20000).reverse().slice(5, 900).join('')",
  floats:
    "const f = new Float32Array(99), d = new DataView(f.buffer); d.setFloat64(1, 0.1); d.setInt16(98, -2); f[9] = 1e-9; return f.join()",
  bigints: "return (3n ** 3000n * 7n ** 900n % (2n ** 521n - 1n)).toString(36)",
  maps: "const m = new Map(); for (let i = 0; i < 2000; i++) m.set(i % 97, new Set([i])); return m.size",
  generators: "function* g(n) { if (n > 0) { yield n; yield* g(n - 1) } } return [...g(30)].join()",
  regex: "return 'foo=bar; baz=qux42; '.repeat(20).replace(/(\\w+)=(\\w+);/g, (_, a, b) => b + a)",
  json: "return JSON.stringify(JSON.parse('[' + '{\"a\":[1,2,\"x\"]},'.repeat(99) + 'null]'))",
  sort: "return Array.from({ length: 900 }, (_, i) => (i * 7919) % 503).sort((a, b) => a - b).join()",
  host: "let s = ''; for (let i = 0; i < 30; i++) s += host(1, i, 'x'.repeat(i), BigInt(i) << 70n); return s",
  thrown: "throw Object.assign(new RangeError('no'), { payload: '0x00' })",
  endless: "const kept = []; for (;;) kept.push({})",
  deep: "const f = (n) => [f(n + 1)]; return f(0)",
  trap: "[].toReversed.call({ length: 2 ** 29 + 1 })",
};

/** Instances, and the memories of their machines. */
class Watched {
  readonly instance: EngineInstance;
  bytes: Uint8Array = new Uint8Array(0);

  constructor() {
    const { restore } = Machine.prototype;
    const keep = (machine: Machine): void => {
      this.bytes = machine.guest.bytes;
    };
    Machine.prototype.restore = function (this: Machine, snapshot: Snapshot) {
      keep(this);
      restore.call(this, snapshot);
    };
    this.instance = specEngine().createInstance();
    Machine.prototype.restore = restore;
  }

  /** The contract's snapshot. */
  evaluate(program: string): Snapshot {
    this.instance.restore(specEngine().base);
    const source = `import { host } from "chain:std"; const kept = []; export default () => { ${program} }`;
    equal(this.instance.evaluateModule(source, EVALUATION_TICKS, noHost).outcome, "ok");
    return this.instance.takeSnapshot();
  }

  call(): void {
    this.instance.call("call", "x".repeat(99), CALL_TICKS / 40, (_operation, args) =>
      args.int(0) % 2 === 0 ? args.text(1) : args.bigInt(2),
    );
  }
}

function wholeMemory(snapshot: Snapshot): Uint8Array {
  const bytes = new Uint8Array(MEMORY_BYTES);
  restoreAll(bytes, new Uint32Array(bytes.buffer), snapshot);
  return bytes;
}

const equalBytes = (actual: Uint8Array, expected: Uint8Array, message: string): void =>
  equal(Buffer.compare(actual, expected), 0, message);

describe("engine: written pages", () => {
  it("are marked by everything that writes", () => {
    const watched = new Watched();
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const snapshot = watched.evaluate(program);
      watched.instance.restore(snapshot);
      watched.call();
      const { bytes } = watched;
      equal(areMarksSpoilt(bytes), false);
      const marked = new Set(writtenPages(bytes));
      const before = wholeMemory(snapshot);
      const missing: number[] = [];
      for (let at = 0; at < MEMORY_BYTES; at++) {
        const isMark = at >= MARKS_ADDRESS && at < MARKS_ADDRESS + MARKS_BYTES;
        if (bytes[at] === before[at] || isMark) continue;
        const page = at >>> MARKED_PAGE_SHIFT;
        const isReached = at % MARKED_PAGE_BYTES < STORE_REACH_BYTES && marked.has(page - 1);
        if (!marked.has(page) && !isReached) missing.push(at);
      }
      deepEqual(missing, [], name);
      equal(marked.size > 10 && marked.size < 2000, true, `${name}: ${marked.size} pages`);
    }
  });

  it("bring back every byte, from one contract to the next", () => {
    const watched = new Watched();
    const contracts = Object.entries(PROGRAMS).map(([name, program]) => ({
      name,
      snapshot: watched.evaluate(program),
    }));
    const random = fc.sample(fc.integer({ min: 0, max: contracts.length - 1 }), { numRuns: 60, seed: 11 });
    for (const index of random) {
      const { name, snapshot } = contracts[index]!;
      watched.instance.restore(snapshot);
      equalBytes(watched.bytes, wholeMemory(snapshot), name);
      watched.call();
    }
  });

  const heap = fc.uint8Array({ minLength: 0, maxLength: 5 * MARKED_PAGE_BYTES });
  const write = fc.record({
    address: fc.oneof(
      fc.integer({ min: 0, max: MEMORY_BYTES - STORE_REACH_BYTES }),
      fc.integer({ min: STACK_TOP, max: STACK_TOP + 6 * MARKED_PAGE_BYTES }),
      fc.integer({ min: 1, max: 2000 }).map((page) => page * MARKED_PAGE_BYTES - 1),
    ),
    reach: fc.integer({ min: 0, max: STORE_REACH_BYTES - 8 }),
    size: fc.constantFrom(1, 2, 4, 8),
  });

  it("bring back every byte, whatever was written", () => {
    const bytes = new Uint8Array(MEMORY_BYTES);
    const words = new Uint32Array(bytes.buffer);
    const base = baseImage(new Uint8Array(DATA_END).fill(5), new Uint8Array(2000).fill(6));
    const everyPage = Array.from({ length: MEMORY_BYTES / MARKED_PAGE_BYTES }, (_, page) => page);
    const withHeap = (heapBytes: Uint8Array): Snapshot => {
      const memory = base.memory.slice();
      memory.set(heapBytes, STACK_TOP);
      return snapshotOf(base, new Uint32Array(memory.buffer), everyPage);
    };
    fc.assert(
      fc.property(heap, heap, fc.array(write, { maxLength: 20 }), (first, second, writes) => {
        const [held, next] = [withHeap(first), withHeap(second)];
        restoreAll(bytes, words, held);
        for (const { address, reach, size } of writes) {
          bytes.fill(0xaa, address + reach, address + reach + size);
          bytes[MARKS_ADDRESS + (address >>> MARKED_PAGE_SHIFT)] = 1;
        }
        if (areMarksSpoilt(bytes)) restoreAll(bytes, words, next);
        else restoreWritten(bytes, words, held, next);
        equalBytes(bytes, wholeMemory(next), "restored");
      }),
      { numRuns: 60 },
    );
  });

  it("are not believed once their marks were written over", () => {
    const bytes = new Uint8Array(MEMORY_BYTES);
    equal(areMarksSpoilt(bytes), false);
    for (const address of [MARKS_ADDRESS - 1, MARKS_ADDRESS, MARKS_ADDRESS + MARKS_BYTES - 1]) {
      bytes.fill(0);
      markWritten(bytes, address, 1);
      equal(areMarksSpoilt(bytes), true);
      equal(writtenPages(bytes).length, MEMORY_BYTES / MARKED_PAGE_BYTES);
    }
  });

  it("are not marked outside the memory", () => {
    const bytes = new Uint8Array(MEMORY_BYTES);
    markWritten(bytes, MEMORY_BYTES - 1, 2);
    markWritten(bytes, 2 ** 32 - 4, 4);
    markWritten(bytes, 4096, 0);
    deepEqual(writtenPages(bytes), []);
    markWritten(bytes, 2 * MARKED_PAGE_BYTES - 1, MARKED_PAGE_BYTES + 2);
    deepEqual(writtenPages(bytes), [1, 2, 3]);
  });
});
