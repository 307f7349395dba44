/** Deep recursion ends by the engine's own count, never by the host's stack. specs/vm/engine/engine.md#stack */
import { deepEqual, equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./run-recursion.js", import.meta.url));

type Report = Readonly<Record<string, string>>;

function runWith(flags: readonly string[]): Report {
  return JSON.parse(execFileSync(process.execPath, [...flags, PROGRAM], { encoding: "utf8" }));
}

describe("engine: recursion and nesting", () => {
  let expected: Report;

  before(function () {
    this.timeout(60_000);
    expected = runWith([]);
  });

  it("ends in a result of the engine", () => {
    equal(Object.keys(expected).length >= 65, true);
    const outcomes = new Set(Object.values(expected).map((line) => line.replace(/ \d+$/, "")));
    deepEqual(
      [...outcomes].filter(
        (outcome) => !/^(ok|exception|out of gas|stack limit|out of memory)$/.test(outcome),
      ),
      [],
    );
    equal(Object.values(expected).filter((line) => line.startsWith("stack limit")).length > 40, true);
  });

  for (const flags of [["--liftoff-only"], ["--no-liftoff"], ["--stack-size=600"], ["--stack-size=3900"]]) {
    it(`ends the same with ${flags.join(" ")}`, function () {
      this.timeout(120_000);
      deepEqual(runWith(flags), expected);
    });
  }
});
