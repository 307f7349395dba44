/** The metered binary. specs/vm/engine/engine.md#the-binary */
import { deepEqual, equal, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readEngineImage } from "../../../node/engine-image.ts";
import { toHex } from "../../../primitives/bytes.ts";
import { sha256 } from "../../../primitives/hash.ts";
import type { Granularity } from "../../../vm/engine/block-charges.ts";
import { boot } from "../../../vm/engine/boot.ts";
import { createEngine } from "../../../vm/engine/engine.ts";
import { checkSource, IMAGE_SHA256, ImageError } from "../../../vm/engine/image.ts";
import { EngineInstance } from "../../../vm/engine/instance.ts";
import { meter } from "../../../vm/engine/meter.ts";
import { snapshotOfBase } from "../../../vm/engine/snapshot.ts";
import { CALL_TICKS, EVALUATION_TICKS, noHost, SPEC_STD } from "./guest-programs.ts";

const source = readFileSync(fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm")));

const PROGRAMS = [
  "let i = 0; while (i < 1000) i++; return i",
  "const m = new Map(); for (let i = 0; i < 1000; i++) m.set(i % 100, i); return m.size",
  "return JSON.stringify(JSON.parse('[' + '1,'.repeat(200) + '1]'))",
  "return /^(a+)+$/.test('a'.repeat(12) + 'b')",
  "return (3n ** 5000n).toString().length",
  "const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); return f(15)",
  "return [5, 3, 9, 1].concat(Array.from({ length: 500 }, (_, i) => (i * 7919) % 503)).sort((a, b) => a - b).join()",
  "try { null.x } catch (error) { return error.message }",
  "function* g() { for (let i = 0; i < 100; i++) yield i } return [...g()].length",
  "return 'Straße'.normalize('NFD').toUpperCase().split('').reverse().join('')",
  "class A { #x = 1; get x() { return this.#x } } let s = 0; for (let i = 0; i < 100; i++) s += new A().x; return s",
  "switch (argument) { case 'a': return 1; case 'b': return 2; default: return Math.sin(3) }",
  "return new Uint8Array(5000).fill(3).copyWithin(10, 0).reduce((a, b) => a + b, 0)",
];

type Measured = { readonly value: unknown; readonly ticks: readonly number[] };

function measure(granularity: Granularity): Measured[] {
  const module = new WebAssembly.Module(meter(source, granularity));
  const account = { usedBytes: 0 };
  const { handles, base } = boot(module, account, SPEC_STD);
  const instance = new EngineInstance(module, account, handles);
  return PROGRAMS.map((program) => {
    instance.restore(snapshotOfBase(base));
    const evaluated = instance.evaluateModule(
      `export default (argument) => { ${program} }`,
      EVALUATION_TICKS,
      noHost,
    );
    const called = instance.call("call", "b", CALL_TICKS, noHost);
    return {
      value: called.outcome === "ok" ? called.value : called,
      ticks: [evaluated.ticksUsed, called.ticksUsed],
    };
  });
}

describe("engine: the metered binary", () => {
  it("is the one of the protocol, whoever builds it", () => {
    checkSource(source);
    const first = meter(source);
    equal(toHex(sha256(first)), IMAGE_SHA256);
    deepEqual(meter(source), first);
    deepEqual(new Uint8Array(readEngineImage()), first);
  });

  it("is refused with one bit changed", () => {
    const tampered = new Uint8Array(readEngineImage());
    tampered[tampered.length >> 1] = (tampered[tampered.length >> 1] ?? 0) ^ 1;
    throws(() => createEngine({ wasm: tampered, std: SPEC_STD }), ImageError);
    throws(() => checkSource(tampered), ImageError);
  });

  it("charges a block what its instructions cost one by one, to the tick", function () {
    this.timeout(30_000);
    const byBlock = measure("block");
    deepEqual(byBlock, measure("instruction"));
    equal(
      byBlock.every(({ value, ticks }) => typeof value === "string" && ticks.every((used) => used > 0)),
      true,
    );
  });
});
