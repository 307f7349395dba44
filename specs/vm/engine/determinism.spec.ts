/** One call, one result, one number of ticks, one memory: everywhere. specs/vm/engine/engine.md#determinism */
import { deepEqual, equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./run-determinism.js", import.meta.url));
/** Of the engine's id, the bad ends, the result and the memory, each seen once. */
const DIFFERENT_LINES = 4;

function observe(runs: number, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): string[] {
  const output = execFileSync(process.execPath, [...flags, PROGRAM, String(runs)], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return JSON.parse(output);
}

describe("engine: determinism", function () {
  this.timeout(60_000);
  let expected: string[];

  before(() => {
    expected = observe(1000);
  });

  it("gives one result, one number of ticks and one memory in 1000 runs", () => {
    equal(expected.length, DIFFERENT_LINES);
  });

  const places: [string, readonly string[], NodeJS.ProcessEnv][] = [
    ["in another process", [], {}],
    ["in another time zone", [], { TZ: "Pacific/Kiritimati" }],
    ["in another language", [], { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" }],
    ["compiled by the baseline compiler only", ["--liftoff-only"], {}],
    ["compiled by the optimizing compiler only", ["--no-liftoff"], {}],
    ["compiled ahead", ["--no-wasm-lazy-compilation"], {}],
    ["on a small stack", ["--stack-size=600"], {}],
  ];
  for (const [place, flags, environment] of places) {
    it(`gives the same ${place}`, () => {
      deepEqual(observe(40, flags, environment), expected);
    });
  }
});
