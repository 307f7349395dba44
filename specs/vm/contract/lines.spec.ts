/** Gas by line and source stacks, by runs with probes. Prose: ../tracing.md#jstracer. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { encodeAbiParameters, encodeFunctionData, parseAbi } from "viem";
import { readEngineImage } from "../../../node/engine-image.ts";
import { readStdImage } from "../../../node/std-image.ts";
import { type Address, fromHex } from "../../../primitives/bytes.ts";
import { type DebugEngine, openDebugEngine } from "../../../vm/contract/debug-engine.ts";
import { runMessage } from "../../../vm/execute-transaction.ts";
import { changedState } from "../../../vm/state/changed-state.ts";
import { instrument } from "../../../vm/tracing/instrument.ts";
import { ProbedSources } from "../../../vm/tracing/probed-sources.ts";
import type { LineTrace, RefusedTrace } from "../../../vm/tracing/trace.ts";
import { type RunSetting, traceLines } from "../../../vm/tracing/trace-lines.ts";
import { ALICE, containerOf, contractSource, Sandbox } from "./sandbox.ts";

let debugEngine: DebugEngine | undefined;
const openOnce = () => {
  debugEngine ??= openDebugEngine(readEngineImage(), readStdImage());
  return debugEngine;
};
const NO_STATE = { account: () => undefined, storage: () => 0n, code: () => undefined };

class World extends Sandbox {
  constructor() {
    super({ openDebugEngine: openOnce });
  }

  trace(to: Address | undefined, data: Uint8Array, gas = 5_000_000): LineTrace | RefusedTrace {
    const run = (setting: RunSetting) => {
      const { journal } = setting;
      journal.beginTransaction();
      journal.setNonce(ALICE, journal.nonce(ALICE) + 1n);
      const request = { sender: ALICE, to, value: 0n, data, gas, gasPrice: 1n, accessList: [] };
      const ended = runMessage({ block: this.block, ...setting }, request);
      return { ...ended, gasUsed: gas - ended.gasLeft, logs: journal.logs() };
    };
    const state = changedState(NO_STATE, this.journal.changes());
    return traceLines(state, this.machine, run, true).trace;
  }

  lines(to: Address | undefined, data: Uint8Array, gas?: number): LineTrace {
    const trace = this.trace(to, data, gas);
    if (trace.kind === "refused") throw new Error(trace.difference);
    return trace;
  }
}

const ABI = parseAbi([
  "function run(uint256) returns (uint256)",
  "function other(address) returns (uint256)",
  "function fail(address)",
]);
const call = (functionName: "run" | "other" | "fail", argument: bigint | Address) =>
  fromHex(encodeFunctionData({ abi: ABI, functionName, args: [argument] } as never));

/** Source whose handler of `run` begins at line 3. */
const running = (body: string) =>
  contractSource(
    `functions: {\nrun: external("(uint256 n) returns (uint256)", (n) => {\n${body}\n}) }`,
    "const state = storage({ sum: 'uint256' });",
  );

/** `line: gas × hits` of what cost something, by the text of the source. */
function shown({ lines, sources }: LineTrace): Map<string, { gas: number; hits: number }> {
  return new Map(
    lines.map(({ source, line, gas, hits }) => [
      sources.get(source)!.split("\n")[line - 1]!.trim(),
      { gas, hits },
    ]),
  );
}

const stackOf = ({ stack, sources }: LineTrace) =>
  stack.map(
    ({ functionName, source, line }) =>
      `${functionName}: ${sources.get(source)!.split("\n")[line - 1]!.trim()}`,
  );

describe("a source with probes", () => {
  const PROGRAMS = [
    "let t = 0; for (let i = 0; i < 4; i++) t += i; return t;",
    "const f = (x) => (y) => x + y; return f(1)(2);",
    "const f = (x) => ({ y: x }); return JSON.stringify(f(3));",
    "let n = 0; do n++; while (n < 3); while (n < 9) { n += 2; if (n > 7) break; else continue; } return n;",
    "outer: for (const a of [1, 2]) for (const b of [3, 4]) { if (b === 4) continue outer; } return 'labels';",
    "try { throw new Error('x'); } catch (e) { return e.message; } finally { void 0; }",
    "const f = () => { try { throw 1; } finally { return 2; } }; return f();",
    "switch (3) { case 1: return 'a'; case 3: { const q = 'c'; return q; } default: return 'd'; }",
    "class A { #v = 1; get v() { return this.#v; } static s = () => 4; static { this.t = 5; } constructor(x = () => 6) { this.x = x(); } } class B extends A { constructor() { super(); } } return [new B().v, A.s(), A.t, new B().x].join();",
    "function* g() { yield 1; yield* [2, 3]; return 4; } return [...g()].join();",
    "const o = { m() { return this.k; }, k: 7, get g() { return 8; }, ['c' + 1]: () => 9 }; return [o.m(), o.g, o.c1()].join();",
    "var h = hoisted(); function hoisted() { return inner(); function inner() { return 'up'; } } return h;",
    "const f = function named(n) { return n === 0 ? named.length : named(n - 1); }; return f(5) + f.name;",
    "let r = ''; for (const k in { a: 1, b: 2 }) r += k; if (r) if (r.length > 1) return r; else return 1; return 2;",
    "const f = (a, [b, { c = 3 }] = [2, {}], ...d) => [a, b, c, ...d].join(); return f(1) + f(1, [5, { c: 6 }], 7);",
    "return [3, 1, 2].sort((a, b) => a - b).map((x) => x * 2).join();",
    "const $probe = 5; return $probe;",
  ];

  it("does what it did, line by line in the same place", () => {
    for (const body of PROGRAMS) {
      const plain = `globalThis.result = (() => { ${body} })();`;
      const { source, sites } = instrument(plain, 0);
      const [text = "", statement = ""] = source.split("\nimport ");
      const name = / as (\S+) /.exec(statement)?.[1] ?? "";
      const heard: number[] = [];
      const evaluate = (code: string) =>
        new Function(name, `"use strict"; ${code}; return globalThis.result;`);
      const expected = evaluate(plain)(undefined);
      deepEqual(
        evaluate(text)((operation: number) => heard.push(operation)),
        expected,
        body,
      );
      ok(heard.length > 2 && sites.length > 2, body);
    }
    const lines = "const a = () => {\n  let b = 1;\n  return b;\n};\n";
    equal(
      instrument(lines, 0)
        .source.split("\n")
        .findIndex((line) => line.includes("return b")),
      2,
    );
  });
});

describe("a source that cannot have probes", () => {
  it("runs without: nested too deep, or what only the engine's parser takes", () => {
    const sources = new ProbedSources();
    equal(sources.instrument(`${"[".repeat(200_000)}`), undefined);
    equal(sources.instrument(`${"(".repeat(50_000)}1${")".repeat(50_000)}`), undefined);
    equal(sources.instrument("this is no JavaScript"), undefined);
  });
});

describe("gas by line", function () {
  this.timeout(60_000);
  const world = new World();

  it("adds up to the run's own total, and finds the line that costs", () => {
    const address = world.deploy(
      running(
        "let sum = 0n;\nfor (let i = 0n; i < n; i++) {\nsum += i * i;\n}\nstate.sum = sum;\nreturn sum;",
      ),
    );
    const trace = world.lines(address, call("run", 500n));
    equal(trace.outcome, "success");
    equal(trace.lines.reduce((sum, { gas }) => sum + gas, 0) + trace.otherGas, trace.gasUsed);
    const lines = shown(trace);
    equal(lines.get("sum += i * i;")?.hits, 500);
    equal(lines.get("state.sum = sum;")?.hits, 1);
    ok(lines.get("state.sum = sum;")!.gas > 22_000, "the slot is new");
    ok(lines.get("sum += i * i;")!.gas > 1_000);
    // Loading the contract, decoding the argument, encoding the result: the same for one round as for 500.
    const { otherGas } = world.lines(address, call("run", 1n));
    ok(Math.abs(trace.otherGas - otherGas) < trace.gasUsed / 100, `${trace.otherGas} and ${otherGas}`);
  });

  it("works with no gas to spare", () => {
    const address = world.deploy(
      running(
        "let t = n;\nfor (let i = 0; i < 300; i++) t = step(t);\nreturn t;\nfunction step(x) { return x + 1n; }",
      ),
    );
    const { gasUsed } = world.lines(address, call("run", 1n));
    const tight = world.lines(address, call("run", 1n), gasUsed);
    deepEqual([tight.outcome, tight.gasUsed], ["success", gasUsed]);
    equal(world.lines(address, call("run", 1n), gasUsed - 1).outcome, "out of gas");
  });

  it("says where the gas ran out", () => {
    const address = world.deploy(running("let i = 0;\nwhile (true) {\ni++;\n}"));
    const trace = world.lines(address, call("run", 1n), 100_000);
    equal(trace.outcome, "out of gas");
    equal(trace.gasUsed, 100_000);
    match(stackOf(trace)[0]!, /^run: (i\+\+;|while \(true\) \{)$/);
  });

  it("gives a call's lines to the contract that was called", () => {
    const callee = world.deploy(running("let t = 0n;\nfor (let i = 0; i < 100; i++) t += n;\nreturn t;"));
    const caller = world.deploy(
      contractSource(
        `functions: { other: external("(address a) returns (uint256)", (a) => {\nconst answer = Callee(a).run(3n);\nreturn answer;\n}) }`,
        `const Callee = iface({ run: "(uint256) returns (uint256)" });`,
      ),
    );
    const trace = world.lines(caller, call("other", callee));
    const lines = shown(trace);
    equal(
      lines.get("for (let i = 0; i < 100; i++) t += n;")?.hits,
      101,
      "the condition, as often as it was asked",
    );
    const own = lines.get("const answer = Callee(a).run(3n);")!.gas;
    ok(own > 13_000 && own < 19_000, `access, frame and loading, and not the callee's loop: ${own}`);
    const leaf = trace.tree.findIndex(
      ({ functionName, parent }) => functionName === "run" && parent !== undefined,
    );
    equal(trace.tree[trace.tree[leaf]!.parent!]?.functionName, "other");
    equal(trace.sources.size, 2);
  });

  it("follows constructors", () => {
    const source = contractSource(
      `init: init("uint256 n", (n) => {\nstate.sum = n;\n})`,
      "const state = storage({ sum: 'uint256' });",
    );
    const args = fromHex(encodeAbiParameters([{ type: "uint256" }], [7n]));
    const trace = world.lines(undefined, Uint8Array.from([...containerOf(source), ...args]));
    ok(shown(trace).get("state.sum = n;")!.gas > 22_000);
  });

  it("is refused when the copy does something else", () => {
    const address = world.deploy(
      running("return BigInt(String(self.run ?? world).length);\nfunction world() { return 1; }"),
    );
    const trace = world.trace(address, call("run", 1n));
    deepEqual(trace, { kind: "refused", difference: "it returned something else" });
  });
});

describe("a failure's stack", function () {
  this.timeout(60_000);
  const world = new World();

  it("leads from the line that threw to the function that was called", () => {
    const address = world.deploy(
      running(
        "return first(n);\nfunction first(x) {\nreturn second(x) + 1n;\n}\nfunction second(x) {\nif (x > 1n) throw new Error('too much');\nreturn x;\n}",
      ),
    );
    deepEqual(stackOf(world.lines(address, call("run", 2n))), [
      "second: if (x > 1n) throw new Error('too much');",
      "first: return second(x) + 1n;",
      "run: return first(n);",
    ]);
    deepEqual(world.lines(address, call("run", 1n)).stack, []);
  });

  it("does not remember what was caught", () => {
    const address = world.deploy(
      running(
        "try {\nthrower();\n} catch {\n}\nstate.sum = 2n ** 256n;\nreturn 1n;\nfunction thrower() { throw new Error('caught'); }",
      ),
    );
    deepEqual(stackOf(world.lines(address, call("run", 2n))), ["run: state.sum = 2n ** 256n;"]);
  });

  it("goes through contracts that hand the failure on, and not through those that do not", () => {
    const callee = world.deploy(running("throw new Error('inside');"));
    const caller = (body: string) =>
      world.deploy(
        contractSource(
          `functions: { fail: external("(address a)", (a) => {\n${body}\n}) }`,
          `const Callee = iface({ run: "(uint256) returns (uint256)" });`,
        ),
      );
    deepEqual(stackOf(world.lines(caller("Callee(a).run(3n);"), call("fail", callee))), [
      "run: throw new Error('inside');",
      "fail: Callee(a).run(3n);",
    ]);
    const other = caller("try {\nCallee(a).run(3n);\n} catch {\nthrow new Error('another');\n}");
    deepEqual(stackOf(world.lines(other, call("fail", callee))), ["fail: throw new Error('another');"]);
  });

  it("tells what console.log said, and where", () => {
    const address = world.deploy(running("console.log('n is', n);\nreturn n;"));
    const { console: said } = world.lines(address, call("run", 2n));
    deepEqual(
      said.map(({ text, at }) => [text, at?.functionName, at?.line]),
      [["n is 2", "run", 5]],
    );
  });
});
