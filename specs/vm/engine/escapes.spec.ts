/** A corpus of sandbox escapes, none of which leads out. specs/vm/engine/engine.md#hardening */
import { deepEqual, equal, match } from "node:assert/strict";
import { ESCAPES } from "./escape-corpus.ts";
import { evaluate, runBody } from "./guest-programs.ts";

/** What a contract would notice of one that ran before. */
const PROBE = `[typeof process, typeof require, ({}).polluted, [1, 2].map((x) => x + 1), "abc".charAt(1), Object.isFrozen(globalThis),
  Reflect.ownKeys(Error).join(), [].toString === Array.prototype.toString].join()`;
const TICKS = 60_000_000;

describe("engine: escapes", () => {
  let clean: string | undefined;

  before(() => {
    clean = evaluate(PROBE);
  });

  for (const { name, source, body } of ESCAPES) {
    it(`by ${name} (${source})`, () => {
      const result = runBody(body, undefined, () => "from the host", TICKS);
      match(result.outcome, /^(ok|exception|stack limit|out of memory|out of gas|trap)$/);
      if (result.outcome === "ok") match(result.value ?? "", /^kept/);
      deepEqual(
        runBody(body, undefined, () => "from the host", TICKS),
        result,
      );
      equal(evaluate(PROBE), clean);
    });
  }

  it("are many, and each has its source", () => {
    equal(new Set(ESCAPES.map(({ name }) => name)).size, ESCAPES.length);
    equal(ESCAPES.length >= 60 && ESCAPES.every(({ source }) => source.length > 5), true);
  });
});
