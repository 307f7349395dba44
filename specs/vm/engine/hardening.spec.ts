/** What contracts cannot reach, change or tell apart. specs/vm/engine/engine.md#hardening */
import { deepEqual, equal } from "node:assert/strict";
import { evaluate, runBody } from "./guest-programs.ts";

const REMOVED = [
  "Date",
  "eval",
  "escape",
  "unescape",
  "WeakRef",
  "FinalizationRegistry",
  "SharedArrayBuffer",
  "Atomics",
  "performance",
  "queueMicrotask",
  "DOMException",
  "Intl",
  "console",
  "print",
  "setTimeout",
  "std",
  "os",
  "gc",
  "engine",
  "process",
  "require",
];

/** Everything a guest can walk to from the global object and from every kind of syntax. */
const REACHABLE = `
  const seen = new Set(); const pending = [];
  const visit = (value) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value); pending.push(value);
  };
  [globalThis, host, function () {}, () => {}, function* () {}, async () => {}, async function* () {}, class {},
   (function* () {})(), (async function* () {})(), [].values(), [].values().map((x) => x), new Map().entries(), new Set().values(),
   "".matchAll(/a/g), ""[Symbol.iterator](), Iterator.from({ next() {} }), /a/, 1n, Symbol(), new Error(), new Proxy({}, {}),
   new Uint8Array(), new Promise(() => {}), (function () { return arguments })()].forEach(visit);
  while (pending.length > 0) {
    const object = pending.pop();
    visit(Object.getPrototypeOf(object));
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Object.getOwnPropertyDescriptor(object, key);
      visit(descriptor.value); visit(descriptor.get); visit(descriptor.set);
    }
  }`;

describe("engine: hardening", () => {
  for (const name of REMOVED) {
    it(`has no ${name}`, () => {
      equal(
        evaluate(`typeof globalThis.${name} + typeof ${name} + (${JSON.stringify(name)} in globalThis)`),
        "undefinedundefinedfalse",
      );
    });
  }

  it("has no clock, chance, locale or stack trace on any object that can be reached", () => {
    const forbidden =
      "/^(now|random|toLocale.*|localeCompare|stack|captureStackTrace|prepareStackTrace|caller)$/";
    const program = `${REACHABLE}
      const found = new Set();
      for (const object of seen) for (const key of Reflect.ownKeys(object)) if (typeof key === "string" && ${forbidden}.test(key)) found.add(key);
      return seen.size > 500 ? [...found].join() : "walk too short: " + seen.size`;
    const result = runBody(program);
    deepEqual({ ...result, ticksUsed: 0 }, { outcome: "ok", value: "caller", ticksUsed: 0 });
    // Function.prototype.caller is the accessor that always throws.
    equal(
      evaluate("(() => { try { return Function.prototype.caller } catch (error) { return error.name } })()"),
      "TypeError",
    );
    equal(
      evaluate(
        "(() => { try { null.x } catch (error) { return typeof error.stack + Object.keys(error) } })()",
      ),
      "undefined",
    );
  });

  it("makes no code from strings, by any constructor", () => {
    const program = `${REACHABLE}
      let made = 0;
      for (const object of seen) {
        if (typeof object !== "function") continue;
        for (const attempt of [() => object("return 1"), () => new object("return 1"), () => Reflect.construct(Object, ["return 1"], object).constructor("return 1")]) {
          try { const f = attempt(); if (typeof f === "function" && f !== object && !seen.has(f) && f() === 1) made++ } catch {}
        }
      }
      return made`;
    equal(runBody(program).outcome, "ok");
    equal(evaluate(`(() => { ${program} })()`), "0");
  });

  for (const kind of [
    "function () {}",
    "function* () {}",
    "async function () {}",
    "async function* () {}",
    "() => {}",
    "class {}",
  ]) {
    it(`refuses the constructor of ${kind}`, () => {
      const attempt = (make: string): string =>
        `(() => { try { return String(${make}) } catch (error) { return error.name } })()`;
      equal(evaluate(attempt(`(${kind}).constructor("return 1")`)), "EvalError");
      equal(evaluate(attempt(`new ((${kind}).constructor)("return 1")`)), "EvalError");
      equal(
        evaluate(attempt(`Reflect.construct(Object.getPrototypeOf(${kind}).constructor, ["return 1"])`)),
        "EvalError",
      );
    });
  }

  it("keeps Function for instanceof", () => {
    equal(
      evaluate(
        "[(() => 1) instanceof Function, (async () => 1) instanceof Function, Function.prototype.constructor === Function].join()",
      ),
      "true,true,true",
    );
  });

  it("freezes everything that can be reached without being made by the contract", () => {
    const program = `${REACHABLE}
      const thawed = [];
      const own = new Set([...arguments]);
      for (const object of seen) if (!Object.isFrozen(object) && (object === globalThis || /\\[native code\\]/.test(typeof object === "function" ? Function.prototype.toString.call(object) : ""))) thawed.push(object.name);
      for (const name of Object.getOwnPropertyNames(globalThis)) {
        const value = globalThis[name];
        if (typeof value === "function" && !(Object.isFrozen(value) && Object.isFrozen(value.prototype ?? value))) thawed.push(name);
      }
      return thawed.join() + Object.isFrozen(globalThis) + Object.isFrozen(Math) + Object.isFrozen(Object.getPrototypeOf(function* () {}.prototype))`;
    const wrapped = runBody(`return (function () { ${program} })()`);
    deepEqual({ ...wrapped, ticksUsed: 0 }, { outcome: "ok", value: "truetruetrue", ticksUsed: 0 });
  });

  it("lets no contract change an intrinsic object or the global object", () => {
    const refused = (statement: string): void =>
      equal(
        evaluate(`(() => { try { ${statement}; return "changed" } catch (error) { return error.name } })()`),
        "TypeError",
        statement,
      );
    refused("Array.prototype.push = 1");
    refused("Object.prototype.polluted = 1");
    refused("Object.prototype.toString = 1");
    refused("Object.setPrototypeOf(Array.prototype, null)");
    refused("Object.defineProperty(Math, 'random', { value: () => 4 })");
    refused("globalThis.fresh = 1");
    refused("delete Array.prototype.map");
    refused("JSON.parse = 1");
    refused("({}).__proto__.__proto__ = {}");
    refused("host.x = 1");
  });

  it("lets objects shadow what they inherit from frozen prototypes", () => {
    const mine = (program: string): void => equal(evaluate(`(() => { ${program} })()`), "mine", program);
    mine("const o = {}; o.toString = () => 'mine'; return '' + o");
    mine("function F() {} F.prototype = {}; F.prototype.constructor = 'mine'; return new F().constructor");
    mine("class E extends Error { constructor() { super(); this.name = 'mine' } } return new E().name");
    mine("const e = new TypeError('x'); e.message = 'mine'; return e.message");
    mine("const f = () => {}; f.toString = () => 'mine'; return f + ''");
    mine("const o = Object.create({}); o.hasOwnProperty = 'mine'; return o.hasOwnProperty");
    mine("const o = {}; o.toString = 1; o.toString = () => 'mine'; return o + ''");
    mine("const p = Promise.resolve(1); p.then = 'mine'; return p.then");
    mine(
      "const o = {}; o.valueOf = () => 'mine'; return Object.keys(o)[0] === 'valueOf' ? o.valueOf() : 'not enumerable'",
    );
    mine("const a = []; a.toString = () => 'mine'; return a + ''");
  });

  it("is strict", () => {
    equal(evaluate("(function () { return typeof this })()"), "undefined");
    equal(runBody("undeclared = 1").outcome, "exception");
    equal(runBody("Object.freeze({ x: 1 }).x = 2").outcome, "exception");
  });

  it("stores one bit pattern for NaN", () => {
    const program = `(() => {
      const bits = (values) => [...new BigUint64Array(new Float64Array(values).buffer)].map((x) => x.toString(16)).join();
      const odd = new Float64Array(new BigUint64Array([0x7ff8000000000123n, 0xfff4000000000001n]).buffer);
      const view = new DataView(new ArrayBuffer(8)); view.setFloat64(0, -odd[1]);
      const single = new Float32Array([NaN, odd[0], -odd[1]]);
      return [bits([NaN, -NaN, 0 / 0, Math.sqrt(-1), Infinity - Infinity, odd[0], -odd[1], odd[0] * odd[1], Math.max(NaN, odd[1]), single[1]]),
              view.getBigUint64(0).toString(16), [...new Uint32Array(single.buffer)].map((x) => x.toString(16)).join()].join(";");
    })()`;
    const quiet = "7ff8000000000000";
    equal(evaluate(program), `${Array(10).fill(quiet).join()};${quiet};7fc00000,7fc00000,7fc00000`);
  });
});
