/** How a run ends. specs/vm/engine/engine.md#outcomes */
import { deepEqual, equal } from "node:assert/strict";
import { readEngineImage } from "../../../node/engine-image.ts";
import { createEngine } from "../../../vm/engine/engine.ts";
import type { RunResult } from "../../../vm/engine/host.ts";

const std = `
  let contract;
  engine.entries.define = (value) => { contract = value; };
  engine.entries.call = (argument) => contract(argument);
`;

describe("engine: outcomes", () => {
  const engine = createEngine({ wasm: readEngineImage(), std });
  const instance = engine.createInstance();

  function run(source: string, argument?: string): RunResult {
    instance.restore(engine.base);
    const defined = instance.evaluateModule(source, 10_000_000, () => undefined);
    return defined.outcome === "ok" ? instance.call("call", argument, 100_000_000, () => undefined) : defined;
  }

  it("returns what the entry returns", () => {
    const result = run("export default (text) => text + '!'", "hello");
    deepEqual({ ...result, ticksUsed: 0 }, { outcome: "ok", value: "hello!", ticksUsed: 0 });
  });

  it("ends an endless loop with all ticks used", () => {
    deepEqual(run("export default () => { for (;;); }"), { outcome: "out of gas", ticksUsed: 100_000_000 });
  });

  it("lets no guest catch the stack limit", () => {
    equal(
      run("export default () => { const f = () => f(); try { f() } catch { return 'caught' } }").outcome,
      "stack limit",
    );
  });

  it("lets no guest catch exhausted memory", () => {
    const hog =
      "export default () => { const a = []; try { for (;;) a.push(new Uint8Array(1e6)) } catch { return 'caught' } }";
    equal(run(hog).outcome, "out of memory");
  });
});
