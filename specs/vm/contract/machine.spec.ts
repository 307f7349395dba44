/** specs/vm/contract/machine.md, specs/vm/contract/host-functions.md */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { encodeErrorResult, encodeFunctionData, parseAbi, toFunctionSelector } from "viem";
import { type Address, concatBytes, fromHex, type Hex, utf8ToBytes } from "../../../primitives/bytes.ts";
import { MemoryStore } from "./memory-store.ts";
import { ALICE, BOB, type CallOptions, contractSource, encodeArgs, reasonOf, Sandbox } from "./sandbox.ts";

const abi = parseAbi([
  "function run()",
  "function run(uint256 value)",
  "function get() view returns (uint256)",
]);
const MEMORY = fromHex(toFunctionSelector("function memory()"));
const RUN = fromHex(encodeFunctionData({ abi, functionName: "run" }));
const GET = fromHex(encodeFunctionData({ abi, functionName: "get" }));

/** A contract whose function `run()` has this body. */
const running = (body: string, before = "") =>
  contractSource(`functions: { run: external("()", () => { ${body} }) }`, before);

/** How deploying and calling `run()` ends: the outcome and the reason. */
function outcomeOf(body: string, before?: string, options?: CallOptions): [string, string] {
  const sandbox = new Sandbox();
  const result = sandbox.send(sandbox.deploy(running(body, before)), RUN, options);
  return [result.outcome, reasonOf(result.output)];
}

function deploymentOf(source: string | Uint8Array): [string, string] {
  const sandbox = new Sandbox();
  const result = typeof source === "string" ? sandbox.tryDeploy(source) : sandbox.send(undefined, source);
  return [result.outcome, reasonOf(result.output)];
}

describe("machine: contracts that fail", () => {
  it("run out of gas, in loops and inside built-ins, and take all of it", () => {
    for (const body of [
      "for (;;);",
      '"a".repeat(1e7).split("").sort()',
      '/(a+)+$/.test("a".repeat(40) + "b")',
      "try { for (;;); } catch {}",
    ]) {
      const sandbox = new Sandbox();
      const { outcome, gasUsed } = sandbox.send(sandbox.deploy(running(body)), RUN, { gas: 300_000 });
      deepEqual([outcome, gasUsed], ["out of gas", 300_000]);
    }
  });

  it("run out of stack and memory, and cannot catch it", () => {
    deepEqual(outcomeOf("const f = () => f() + 1; try { f(); } catch {}"), ["stack limit", "0x"]);
    deepEqual(
      outcomeOf("const a = []; try { for (;;) a.push(new Uint8Array(1e6)); } catch {}", "", { gas: 1e9 }),
      ["out of memory", "0x"],
    );
  });

  it("revert with what they threw", () => {
    deepEqual(outcomeOf('throw new Error("no")'), ["revert", "no"]);
    deepEqual(outcomeOf("null.x"), ["revert", "TypeError: cannot read property 'x' of null"]);
    deepEqual(outcomeOf('throw "text"'), ["revert", "string: text"]);
    deepEqual(outcomeOf("throw 5n"), ["revert", "bigint: 5"]);
    deepEqual(outcomeOf("throw undefined"), ["revert", "undefined: undefined"]);
    deepEqual(outcomeOf("throw { get message() { throw 1 } }"), ["revert", "undefined: "]);
    deepEqual(outcomeOf("1n / 0n"), ["revert", "panic 0x12"]);
    deepEqual(outcomeOf('throw new Error("\\ud800")'), ["revert", "\ufffd"]);
    deepEqual(outcomeOf("throw E({ x: 5n })", 'const E = error("E(uint256 x)");'), [
      "revert",
      encodeErrorResult({ abi: parseAbi(["error E(uint256 x)"]), args: [5n] }),
    ]);
  });

  it("revert when they return promises or leave them pending", () => {
    deepEqual(outcomeOf("return Promise.resolve()"), [
      "revert",
      "TypeError: a handler returned a promise; contracts are synchronous",
    ]);
    equal(outcomeOf("return { then() {} }")[0], "revert");
    equal(outcomeOf("Promise.resolve().then(() => 1)")[0], "revert");
    equal(deploymentOf(`await 1;\n${running("")}`)[0], "revert");
  });

  it("revert when results do not fit their types, whatever the results are", () => {
    const returning = (type: string, value: string) => {
      const sandbox = new Sandbox();
      const at = sandbox.deploy(
        contractSource(`functions: { run: external("() returns (${type})", () => (${value})) }`),
      );
      const { outcome, output } = sandbox.send(at, RUN);
      return `${outcome}: ${reasonOf(output)}`;
    };
    equal(returning("uint8", "256n"), "revert: panic 0x11");
    equal(returning("uint256", "-1n"), "revert: panic 0x11");
    equal(returning("uint256", "1"), "revert: TypeError: expected bigint, got number");
    equal(returning("bool", "undefined"), "revert: TypeError: expected boolean, got undefined");
    equal(returning("address", '"0x12"'), 'revert: TypeError: expected address, got "0x12"');
    equal(returning("uint256[]", "5n"), "revert: TypeError: expected array, got bigint");
    equal(returning("uint256, uint256", "[1n]"), "revert: TypeError: expected tuple of 2, got object");
    equal(returning("(uint256 a)", '{ get a() { throw new Error("getter"); } }'), "revert: getter");
    equal(
      returning("(uint256 a)", "new Proxy({}, { get() { return 7n; } })"),
      `success: 0x${"7".padStart(64, "0")}`,
    );
  });

  it("are refused when they are not contracts", () => {
    deepEqual(deploymentOf(fromHex("0x6080604052348015600e575f5ffd5b50")), ["invalid container", "0x"]);
    deepEqual(deploymentOf(new Uint8Array(0)), ["invalid container", "0x"]);
    deepEqual(deploymentOf(utf8ToBytes("export default 1")), ["invalid container", "0x"]);
    equal(deploymentOf("this is not JavaScript")[0], "revert");
    equal(
      reasonOf(fromHexReason("export default 1")),
      "TypeError: a contract's default export is contract({ … })",
    );
    equal(fromHexReason('import "node:fs"').startsWith("0x08c379a0"), true);
    deepEqual(deploymentOf("for (;;);"), ["out of gas", "0x"]);
  });

  function fromHexReason(source: string): Hex {
    return new Sandbox().tryDeploy(source).output;
  }

  it("cannot learn anything at the top level of their module", () => {
    const reason = "TypeError: a module's top level has no message, no block and no storage";
    for (const before of ["msg.sender;", "block.number;", "gasleft();", 'call(ZERO, "0x");']) {
      deepEqual(deploymentOf(running("", before)), ["revert", reason]);
    }
    const declared = 'const s = storage({ x: "uint256" });';
    deepEqual(deploymentOf(running("", `${declared} s.x;`)), ["revert", reason]);
  });

  it("declare at the top level only", () => {
    deepEqual(outcomeOf('event("E()")'), [
      "revert",
      "TypeError: events, errors and storage are declared at a module's top level",
    ]);
  });

  it("have less stack while they are evaluated, the same everywhere", () => {
    const recursion = (depth: number) =>
      running("", `const f = (n) => (n === 0 ? 0 : f(n - 1) + 1); f(${depth});`);
    equal(deploymentOf(recursion(50))[0], "success");
    deepEqual(deploymentOf(recursion(100_000)), ["stack limit", "0x"]);
  });

  it("say what is wrong with a signature", () => {
    deepEqual(deploymentOf(running("", 'event("E(uint7 x)");')), [
      "revert",
      'TypeError: unknown type "uint7" at 7 of "E(uint7 x)"',
    ]);
  });
});

describe("machine: calls", () => {
  const counter = contractSource(
    `init: init("uint256 start", (start) => { s.count = start; }),
     functions: {
       run: external("()", () => { s.count += 1n; kept += 1n; }),
       get: view("() returns (uint256)", () => s.count),
       memory: view("() returns (uint256)", () => { kept += 1n; return kept; }),
     }`,
    'const s = storage({ count: "uint8" }); let kept = 0n;',
  );

  it("decode arguments, keep state and encode results", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(counter, encodeArgs("uint256", 254n));
    equal(sandbox.send(at, RUN).outcome, "success");
    equal(BigInt(sandbox.send(at, GET).output), 255n);
    deepEqual(reasonOf(sandbox.send(at, RUN).output), "panic 0x11");
    equal(BigInt(sandbox.send(at, GET).output), 255n);
  });

  it("reset module variables every time", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(counter, encodeArgs("uint256", 0n));
    for (let i = 0; i < 3; i++) equal(BigInt(sandbox.send(at, MEMORY).output), 1n);
  });

  it("refuse call data that is not for them, with the reason", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(counter, encodeArgs("uint256", 0n));
    const reason = (data: string, options?: CallOptions) =>
      reasonOf(sandbox.send(at, fromHex(data), options).output);
    equal(reason("0x12345678"), "unknown function 0x12345678");
    equal(reason("0x"), "the contract takes no plain transfers");
    equal(reason("0x01"), "unknown function 0x01");
    equal(
      reason(encodeFunctionData({ abi, functionName: "run" }), { value: 1n }),
      "the function takes no value",
    );
    const source = contractSource('functions: { run: external("(uint256 value)", () => {}) }');
    const strict = sandbox.deploy(source);
    equal(
      reasonOf(
        sandbox.send(
          strict,
          fromHex(encodeFunctionData({ abi, functionName: "run", args: [1n] }).slice(0, -2)),
        ).output,
      ),
      "invalid ABI data: it ends too early at byte 0",
    );
    equal(sandbox.tryDeploy(counter, new Uint8Array(3)).outcome, "revert");
    equal(sandbox.tryDeploy(counter, encodeArgs("uint256", 1n), { value: 1n }).outcome, "revert");
  });

  it("cost the same whether the contract was cached or not", () => {
    const warm = new Sandbox();
    const cold = new Sandbox({ cacheBytes: 0 });
    const stores = [
      new MemoryStore(),
      new MemoryStore((bytes) => bytes.fill(1, 200, 300)),
      new MemoryStore(() => []),
    ];
    const stored = stores.map((store) => new Sandbox({ cacheBytes: 0, store }));
    const results = [warm, cold, ...stored].map((sandbox) => {
      const at = sandbox.deploy(counter, encodeArgs("uint256", 1n));
      sandbox.deploy(running("return 1"));
      return [sandbox.send(at, RUN), sandbox.send(at, GET), sandbox.send(at, RUN)];
    });
    for (const result of results) deepEqual(result, results[0]);
    // One leaves the memory and comes back; a damaged one is written again each time.
    deepEqual(
      stores.map(({ written }) => written > 2),
      [false, true, true],
    );
  });

  it("end the same deep down a stack of calls, whether contracts were cached or not", () => {
    // Each contract calls the other until the stack ends, and modules nest expressions when they are evaluated.
    const nested = `${"(".repeat(20)}1${")".repeat(20)}`;
    const source = contractSource(
      `functions: { run: external("(address other) returns (uint256)", (other) => {
         try { return BigInt(call(other, concat(msg.data.slice(0, 10), abi.encode("address", self.address)))) + 1n; }
         catch { return 0n; } }, { reentrant: true }) }`,
      `const depth = ${nested};`,
    );
    const results = [new Sandbox(), new Sandbox({ cacheBytes: 0 })].map((sandbox) => {
      const [first, second] = [sandbox.deploy(source), sandbox.deploy(`${source}\n// the other`)];
      const selector = toFunctionSelector("function run(address other)");
      const data = concatBytes(fromHex(selector), encodeArgs("address", second));
      return sandbox.send(first, data, { gas: 25_000_000 });
    });
    deepEqual(results[0], results[1]);
    ok(BigInt(results[0]?.output ?? "0x0") >= 8n);
  });

  it("cost the same every time", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(counter, encodeArgs("uint256", 1n));
    const first = sandbox.send(at, GET);
    for (let i = 0; i < 100; i++) deepEqual(sandbox.send(at, GET), first);
  });

  it("give `fallback` and `receive` what no function takes", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource(
        `receive: () => { s.got += msg.value; },
         fallback: { payable: true, handler: (data) => concat(data, "0xff") },
         functions: { get: view("() returns (uint256)", () => s.got) }`,
        'const s = storage({ got: "uint256" });',
      ),
    );
    equal(sandbox.send(at, new Uint8Array(0), { value: 5n }).outcome, "success");
    equal(BigInt(sandbox.send(at, GET).output), 5n);
    equal(sandbox.send(at, fromHex("0x0102")).output, "0x0102ff");
  });

  it("tell a contract its environment", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource(`functions: { run: payable(
        "() returns (address, uint256, bytes, address, uint256, uint256, uint256, bytes32, uint256, address, uint256, bytes32)",
        () => [msg.sender, msg.value, msg.data, tx.origin, tx.gasPrice, block.number, block.timestamp, block.prevRandao,
               block.chainId, block.coinbase, self.balance, block.hash(499n)]) }`),
    );
    const { output } = sandbox.send(at, RUN, { value: 3n, from: BOB });
    equal(
      output,
      `0x${Buffer.from(
        encodeArgs(
          "address, uint256, bytes, address, uint256, uint256, uint256, bytes32, uint256, address, uint256, bytes32",
          BOB,
          3n,
          "0xc0406226",
          BOB,
          9n,
          500n,
          1_700_000_000n,
          `0x${"5e".repeat(32)}`,
          117711n,
          `0x${"fe".repeat(20)}`,
          3n,
          `0x${499n.toString(16).padStart(64, "0")}`,
        ),
      ).toString("hex")}`,
    );
  });

  it("print through the sink, at a price that does not depend on it", () => {
    const lines: [Address, string][] = [];
    const source = running('console.log("value", 5n, { a: 1n }, null)');
    const [loud, quiet] = [
      new Sandbox({ console: (address, text) => lines.push([address, text]) }),
      new Sandbox(),
    ];
    const results = [loud, quiet].map((sandbox) => sandbox.send(sandbox.deploy(source), RUN));
    deepEqual(results[0], results[1]);
    deepEqual(
      lines.map(([, text]) => text),
      ['value 5 {"a":"1"} null'],
    );
  });

  it("leave logs", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      running(
        'Note({ who: msg.sender, what: "hi" }); Bare(7n);',
        `
        const Note = event("Note(address indexed who, string what)"); const Bare = event("Bare(uint256)");`,
      ),
    );
    sandbox.send(at, RUN);
    const logs = sandbox.journal.logs();
    deepEqual(
      logs.map(({ address, topics }) => [address, topics.length]),
      [
        [at, 2],
        [at, 1],
      ],
    );
    equal(logs[0]?.topics[1], `0x${ALICE.slice(2).padStart(64, "0")}`);
    deepEqual(logs[1]?.data, encodeArgs("uint256", 7n));
  });

  it("charge a cold slot, a warm slot and a new slot as Ethereum does", () => {
    const sandbox = new Sandbox();
    const used = (body: string) => {
      const at = sandbox.deploy(running(body, 'const s = storage({ a: "uint256", b: "uint256" });'));
      return sandbox.send(at, RUN).gasUsed;
    };
    // Beside the price of the access each operation costs some ticks.
    const isPriced = (actual: number, price: number) =>
      ok(actual >= price && actual < price + 200, String(actual));
    const nothing = used("");
    isPriced(used("s.a;") - nothing, 2_100);
    isPriced(used("s.a; s.a;") - used("s.a;"), 100);
    isPriced(used("s.a = 1n;") - nothing, 22_100);
    isPriced(used("s.a = 1n; s.b = 1n") - used("s.a = 1n;"), 22_100);
  });

  it("change nothing in views", () => {
    const sandbox = new Sandbox();
    for (const body of ["s.a = 1n", "E({})", "transient.set(0n, 1n)", 'call(ZERO, "0x", { value: 1n })']) {
      const at = sandbox.deploy(
        contractSource(
          `functions: { run: view("()", () => { try { ${body}; } catch {} }) }`,
          'const s = storage({ a: "uint256" }); const E = event("E()");',
        ),
      );
      equal(sandbox.send(at, RUN).outcome, "static state change");
    }
  });

  it("keep transient storage to the end of the transaction", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource(`functions: { run: external("() returns (uint256)", () => {
        const before = transient.get(1n); transient.set(1n, 5n); return before * 10n + transient.get(1n); }) }`),
    );
    for (let i = 0; i < 2; i++) equal(BigInt(sandbox.send(at, RUN).output), 5n);
  });
});

describe("machine: prototypes and globals", () => {
  it("of one call are not seen by the next", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource(`functions: { run: external("() returns (uint256)", () => {
        try { globalThis.leak = 1; } catch {} try { Object.prototype.leak = 1; } catch {}
        return typeof leak === "undefined" && ({}).leak === undefined ? 1n : 0n; }) }`),
    );
    for (let i = 0; i < 2; i++) equal(BigInt(sandbox.send(at, RUN).output), 1n);
    notEqual(at, undefined);
  });
});
