/** How a run ends. specs/vm/engine/engine.md#outcomes */
import { deepEqual, equal, throws } from "node:assert/strict";
import { NodeFault } from "../../../vm/engine/node-fault.ts";
import { CALL_TICKS, noHost, runBody, runModule } from "./guest-programs.ts";

function errorOf(result: ReturnType<typeof runBody>): string {
  return result.outcome === "exception" ? `${result.name}: ${result.message}` : result.outcome;
}

const PENDING = "TypeError: a contract is synchronous: a promise is pending at its return";

describe("engine: outcomes", () => {
  it("returns what the entry returns", () => {
    const { ticksUsed, ...result } = runBody("return argument + '!'", "hello");
    deepEqual(result, { outcome: "ok", value: "hello!" });
    equal(ticksUsed > 0 && ticksUsed < 20_000, true);
  });

  it("reports what the guest threw", () => {
    equal(errorOf(runBody("null.x")), "TypeError: cannot read property 'x' of null");
    equal(errorOf(runBody("throw 'text'")), "string: text");
    equal(errorOf(runBody("throw Symbol('s')")), "symbol: Symbol(s)");
    equal(errorOf(runBody("class Mine extends Error { name = 'Mine' } throw new Mine('m')")), "Mine: m");
    equal(errorOf(runModule("export default 1 +")), "SyntaxError: unexpected token in expression: ''");
  });

  it("reports a payload", () => {
    const { ticksUsed, ...result } = runBody("throw Object.assign(new Error('m'), { payload: '0x1234' })");
    deepEqual(result, { outcome: "exception", name: "Error", message: "m", payload: "0x1234" });
  });

  it("reports as much as can be read of a hostile value", () => {
    equal(errorOf(runBody("throw { get name() { throw 1 } }")), "Error: ");
    equal(errorOf(runBody("throw { name: 'N', get message() { return Symbol() } }")), "N: Symbol()");
    equal(errorOf(runBody("throw { get name() { for (;;); } }")), "out of gas");
    equal(
      errorOf(runBody("throw new Proxy({}, { get() { return f() } }); function f() { return f() }")),
      "stack limit",
    );
  });

  it("ends an endless loop with all ticks used", () => {
    deepEqual(runBody("for (;;);"), { outcome: "out of gas", ticksUsed: CALL_TICKS });
  });

  it("needs exactly the ticks it reports", () => {
    for (const program of ["return 1", "return 'x'.repeat(99).split('').sort().join()", "null.x"]) {
      const { outcome, ticksUsed } = runBody(program);
      deepEqual([runBody(program, undefined, noHost, ticksUsed).outcome], [outcome]);
      deepEqual(runBody(program, undefined, noHost, ticksUsed - 1), {
        outcome: "out of gas",
        ticksUsed: ticksUsed - 1,
      });
    }
  });

  it("lets no guest catch the end of its ticks, its stack or its memory", () => {
    equal(
      runBody("try { for (;;); } catch { return 'caught' } finally { return 'finally' }").outcome,
      "out of gas",
    );
    equal(runBody("const f = () => { try { f() } catch {} }; f()").outcome, "stack limit");
    equal(
      runBody("const a = []; try { for (;;) a.push(new Uint8Array(1e6)) } catch {}").outcome,
      "out of memory",
    );
    equal(runBody("try { 'x'.repeat(2 ** 29) } catch {}").outcome, "out of memory");
  });

  it("ends a guest that breaks QuickJS's own memory, as a result and not as a fault", () => {
    equal(runBody("[].toReversed.call({ length: 2 ** 29 + 1 })").outcome, "trap");
  });

  it("refuses promises that are pending at return", () => {
    equal(errorOf(runBody("Promise.resolve().then(() => 1)")), PENDING);
    equal(errorOf(runBody("(async () => { await 1 })()")), PENDING);
    equal(errorOf(runModule("await Promise.resolve(); export default () => 1")), PENDING);
    equal(errorOf(runModule("await new Promise(() => {}); export default () => 1")), PENDING);
    equal(errorOf(runBody("new Promise((resolve) => resolve(1)); return 'none pending'")), "ok");
  });

  it("imports nothing but chain:std", () => {
    equal(
      errorOf(runModule("import x from 'fs'; export default () => 1")),
      "ReferenceError: could not load module 'fs'",
    );
    equal(
      errorOf(runModule("import x from './other'; export default () => 1")),
      "ReferenceError: could not load module 'other'",
    );
    equal(errorOf(runBody("import('chain:std')")), PENDING);
    equal(
      errorOf(runModule("import { missing } from 'chain:std'; export default () => 1")),
      "SyntaxError: Could not find export 'missing' in module 'chain:std'",
    );
  });

  it("takes exhaustion of the host's own stack for a fault of the node", () => {
    const recurse = (): number => 1 + recurse();
    throws(() => runBody("host(1)", undefined, recurse), NodeFault);
  });
});
