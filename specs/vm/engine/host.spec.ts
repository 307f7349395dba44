/** What crosses between host and guest. specs/vm/engine/engine.md#host-interface */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { GuestException, type Host, type RunResult } from "../../../vm/engine/host.ts";
import { InstancePool } from "../../../vm/engine/pool.ts";
import { CALL_TICKS, EVALUATION_TICKS, noHost, runBody, specEngine } from "./guest-programs.ts";

function textOf(result: RunResult): string | undefined {
  return result.outcome === "ok" ? result.value : JSON.stringify(result);
}

/** Any UTF-16: zeros, lone surrogates, either width. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.integer({ min: 0, max: 0xff }), { maxLength: 300 })
    .map((units) => String.fromCharCode(...units)),
  fc.string({ minLength: 4000, maxLength: 4200 }),
);

describe("engine: host interface", () => {
  it("carries every string there and back", () => {
    const received: string[] = [];
    const echo: Host = (_operation, args) => {
      received.push(args.text(0));
      return args.text(0);
    };
    fc.assert(
      fc.property(anyText, (text) => {
        received.length = 0;
        equal(
          textOf(
            runBody("const echoed = host(1, argument); return (echoed === argument) + echoed", text, echo),
          ),
          `true${text}`,
        );
        deepEqual(received, [text]);
      }),
      { numRuns: 60 },
    );
  });

  it("reads concatenations QuickJS has not carried out yet", () => {
    const program =
      "let s = argument; for (let i = 0; i < 12; i++) s = i % 2 ? s + s : 'é' + s + 'ŵ'; return host(1, s) === s";
    equal(textOf(runBody(program, "x".repeat(50), (_operation, args) => args.text(0))), "true");
  });

  it("reads BigInts of every sign and size; those beyond 512 bits as out of every range", () => {
    let received = 0n;
    const read: Host = (_operation, args) => {
      received = args.bigInt(0);
      return undefined;
    };
    const edge = fc
      .tuple(fc.integer({ min: 0, max: 512 }), fc.integer({ min: -2, max: 2 }))
      .map(([bits, offset]) => (1n << BigInt(bits)) + BigInt(offset));
    const value = fc.oneof(fc.bigInt({ min: -(1n << 510n), max: 1n << 510n }), edge);
    fc.assert(
      fc.property(value, fc.boolean(), (magnitude, isNegative) => {
        const sent = isNegative ? -magnitude : magnitude;
        runBody(`host(1, BigInt(argument))`, sent.toString(), read);
        const isWide = sent >= 1n << 511n || sent < -(1n << 511n);
        equal(received, isWide ? (sent < 0n ? -(1n << 512n) : 1n << 512n) : sent);
      }),
      { numRuns: 150 },
    );
  });

  it("gives the guest BigInts that compute like its own", () => {
    const edge = fc
      .tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
      .map(([bits, offset, isNegative]) => ((1n << BigInt(bits)) + BigInt(offset)) * (isNegative ? -1n : 1n));
    fc.assert(
      fc.property(fc.oneof(fc.bigInt({ min: -(1n << 256n), max: 1n << 256n }), edge), (value) => {
        const program =
          "const own = BigInt(argument), given = host(1); return `${given === own} ${given + 1n} ${given - own}`";
        equal(textOf(runBody(program, value.toString(), () => value)), `true ${value + 1n} 0`);
      }),
      { numRuns: 150 },
    );
  });

  it("carries numbers there and back", () => {
    const echo: Host = (_operation, args) => args.int(0);
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger());
    fc.assert(
      fc.property(number, (value) => {
        equal(textOf(runBody(`return Object.is(host(1, ${value}), ${value})`, undefined, echo)), "true");
      }),
      { numRuns: 50 },
    );
    equal(textOf(runBody("return host(1)", undefined, () => 0.1 + 0.2)), String(0.1 + 0.2));
    equal(textOf(runBody("return Object.is(host(1), -0)", undefined, () => -0)), "true");
  });

  it("tells missing and undefined arguments from others", () => {
    const host: Host = (_operation, args) => `${args.length}${args.isUndefined(0)}${args.isUndefined(1)}`;
    equal(textOf(runBody("return host(1, undefined)", undefined, host)), "1truetrue");
    equal(textOf(runBody("return host(1, null, 0)", undefined, host)), "2falsefalse");
  });

  it("throws a TypeError in a guest that passes something else, and runs none of its code", () => {
    const program = (value: string): string =>
      `let touched = 0; const o = { valueOf() { touched++ }, toString() { touched++ } };
       try { host(1, ${value}) } catch (error) { return error.name + touched }`;
    for (const value of ["o", "1n", "null", "Symbol()", "1.5", "NaN", "2 ** 60", "'1'", ""]) {
      equal(
        textOf(runBody(program(value), undefined, (_operation, args) => args.int(0))),
        "TypeError0",
        value,
      );
    }
    for (const value of ["o", "1n", "null", "1", ""]) {
      equal(
        textOf(runBody(program(value), undefined, (_operation, args) => args.text(0))),
        "TypeError0",
        value,
      );
    }
  });

  it("throws in the guest what the host throws as a GuestException", () => {
    const host: Host = () => {
      throw new GuestException("RangeError", "too far", "0xpayload");
    };
    const caught =
      "try { host(1) } catch (e) { return [e instanceof RangeError, e.message, e.payload].join() }";
    equal(textOf(runBody(caught, undefined, host)), "true,too far,0xpayload");
    const { ticksUsed, ...uncaught } = runBody("host(1)", undefined, host);
    deepEqual(uncaught, {
      outcome: "exception",
      name: "RangeError",
      message: "too far",
      payload: "0xpayload",
    });
  });

  it("ends the run with anything else the host throws", () => {
    class Stop extends Error {}
    const stop: Host = () => {
      throw new Stop();
    };
    throws(() => runBody("try { host(1) } catch { return 'caught' }", undefined, stop), Stop);
    equal(textOf(runBody("return 'runs again'")), "runs again");
  });

  it("charges the host's ticks, and ends a run that cannot pay", () => {
    const engine = specEngine();
    const instance = engine.createInstance();
    instance.evaluateModule(
      "import { host } from 'chain:std'; export default () => { try { host(1) } catch {} return 'paid' }",
      EVALUATION_TICKS,
      noHost,
    );
    const contract = instance.takeSnapshot();
    const callWith = (ticks: number): RunResult => {
      instance.restore(contract);
      return instance.call("call", undefined, CALL_TICKS, () => {
        instance.chargeTicks(ticks);
        return undefined;
      });
    };
    const free = callWith(0);
    equal(callWith(1_000_000).ticksUsed, free.ticksUsed + 1_000_000);
    deepEqual(callWith(CALL_TICKS), { outcome: "out of gas", ticksUsed: CALL_TICKS });
  });

  it("charges for the characters that cross", () => {
    const used = (length: number): number =>
      runBody("host(1, argument)", "x".repeat(length), (_operation, args) => args.text(0).slice(0, 0))
        .ticksUsed;
    equal(used(1001) - used(1000) >= 64, true);
  });

  it("lets a host function call other instances, on a share of one stack", () => {
    const pool = new InstancePool(specEngine());
    const source = "import { host } from 'chain:std'; export default (depth) => host(1, Number(depth) + 1)";
    let contract = specEngine().base;
    pool.with((instance) => {
      instance.restore(contract);
      instance.evaluateModule(source, EVALUATION_TICKS, noHost);
      contract = instance.takeSnapshot();
    });
    const call = (depth: number): string =>
      pool.with((instance) => {
        instance.restore(contract);
        const result = instance.call("call", String(depth), CALL_TICKS, (_operation, args) =>
          call(args.int(0)),
        );
        return result.outcome === "ok" ? (result.value ?? "") : `${result.outcome} at depth ${depth}`;
      });
    equal(call(0), call(0));
    equal(/^stack limit at depth [2-6]\d$/.test(call(0)), true, call(0));
  });
});
