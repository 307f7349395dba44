/** specs/contracts/calls.md: what a caller learns of a failure, and contracts that replace their code. */
import { deepEqual, equal } from "node:assert/strict";
import { encodeFunctionData, parseAbi } from "viem";
import { type Address, fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import { containerOf, contractSource, encodeArgs, reasonOf, Sandbox } from "../vm/contract/sandbox.ts";

const abi = parseAbi(["function run(address to)", "function get()", "function set(uint256 x)"]);
const runOn = (to: Address) => fromHex(encodeFunctionData({ abi, functionName: "run", args: [to] }));
const GET = fromHex(encodeFunctionData({ abi, functionName: "get" }));

const callee = contractSource(
  `functions: {
     bad: external("(uint256 x, string y)", (x, y) => { throw Bad({ x, y }); }),
     plain: external("()", () => { throw new Error("no funds, sorry"); }),
     overflow: external("()", () => { s.small = 256n; }),
     loop: external("()", () => { for (;;); }),
     lie: external("()", () => { const e = new Error("x"); e.payload = "0x08c379a0ff"; throw e; }),
   }`,
  'const s = storage({ small: "uint8" }); const Bad = error("Bad(uint256 x, string y)");',
);

/** What a caller's handler makes of the callee's failures. */
function caught(expression: string): string {
  const sandbox = new Sandbox();
  const target = sandbox.deploy(callee);
  const source = contractSource(
    `functions: { run: external("(address to) returns (string)", (to) => ${expression}) }`,
    `const Callee = iface({ bad: "(uint256 x, string y)", plain: "()", overflow: "()", loop: "()", lie: "()" });
     const Bad = error("Bad(uint256 x, string y)");
     const Other = error("Other(bytes32)");
     const messageOf = (f) => { try { f(); return "no error"; } catch (e) { return isCallError(e) + ": " + e.message; } };`,
  );
  const { outcome, output } = sandbox.send(sandbox.deploy(source), runOn(target));
  return outcome === "success" ? reasonOf(`0x08c379a0${output.slice(2)}`) : `${outcome} ${reasonOf(output)}`;
}

describe("failures of calls, as the caller sees them", () => {
  it("carry the callee's reason", () => {
    equal(caught("messageOf(() => Callee(to).plain())"), "true: no funds, sorry");
    equal(caught("messageOf(() => Callee(to).overflow())"), "true: panic 0x11");
    equal(caught('messageOf(() => Callee(to).bad(1n, "a"))'), "true: call reverted");
    equal(caught("messageOf(() => Callee(to).loop())"), "true: call failed: out of gas");
    equal(caught('messageOf(() => call(to, "0x12345678"))'), "true: unknown function 0x12345678");
    equal(caught("messageOf(() => { throw new Error('mine'); })"), "false: mine");
  });

  it("survive revert data that pretends to be a reason", () => {
    equal(caught("messageOf(() => Callee(to).lie())"), "true: call reverted");
  });

  it("decode to the arguments of the error they are, and to nothing for another", () => {
    const decoded = (of: string) =>
      `try { Callee(to).bad(7n, "köln"); } catch (e) { return ${of}; } return "";`;
    const text = 'JSON.stringify(Bad.decode(e), (_, v) => typeof v === "bigint" ? String(v) : v)';
    equal(caught(`{ ${decoded(text)} }`), '{"x":"7","y":"köln"}');
    equal(
      caught(`{ ${decoded("String(Other.decode(e)) + Bad.is(e) + Other.is(e)")} }`),
      "undefinedtruefalse",
    );
    equal(
      caught(
        '{ const { data } = tryCall(to, Callee.encode.bad(9n, "z")); return Bad.decode(data).y + Bad.is(data); }',
      ),
      "ztrue",
    );
    equal(caught("String(Bad.decode(undefined)) + Bad.is(5n)"), "undefinedfalse");
  });

  it("of another error with the same selector but data that does not decode, revert", () => {
    const forged = 'Bad.decode(Bad.selector + "00")';
    equal(caught(forged), "revert invalid ABI data: it ends too early at byte 0");
  });
});

describe("call data of an interface", () => {
  it("is what viem encodes", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource(
        'functions: { run: view("(address to) returns (bytes)", (to) => Token.encode.transfer(to, 5n)) }',
        'const Token = iface({ transfer: "(address to, uint256 value) returns (bool)" });',
      ),
    );
    const to: Address = `0x${"12".repeat(20)}`;
    const transfer = parseAbi(["function transfer(address to, uint256 value)"]);
    const data = encodeFunctionData({ abi: transfer, args: [to, 5n] });
    equal(sandbox.send(at, runOn(to)).output, toHex(encodeArgs("bytes", data)));
  });
});

describe("upgrades", () => {
  const SET = fromHex(encodeFunctionData({ abi, functionName: "set", args: [6n] }));
  const counter = (get: string, members = "upgradeable: true,") =>
    contractSource(
      `${members} functions: {
         get: view("() returns (uint256)", () => ${get}),
         set: external("(uint256 x)", (x) => { s.x = x; }),
         run: external("(address to)", (to) => { upgrade(to); }),
         tryRun: external("(address to)", (to) => { upgrade(to); throw new Error("no"); }),
         peek: view("(address to)", (to) => { upgrade(to); }),
       }`,
      'const s = storage({ x: "uint256" });',
    );

  function deployed(sandbox: Sandbox, source: string, isUpgradeable: boolean): Address {
    const { outcome, address } = sandbox.send(undefined, containerOf(source, isUpgradeable));
    equal(outcome, "success");
    return address as Address;
  }

  it("replace the code, keep the storage, and hold from the next message on", () => {
    const sandbox = new Sandbox();
    const at = deployed(sandbox, counter("s.x"), true);
    const next = deployed(sandbox, counter("s.x * 2n"), true);
    sandbox.send(at, SET);
    equal(BigInt(sandbox.send(at, GET).output), 6n);
    equal(sandbox.send(at, runOn(next)).outcome, "success");
    equal(BigInt(sandbox.send(at, GET).output), 12n);
    equal(sandbox.journal.codeHash(at), sandbox.journal.codeHash(next));
    const last = deployed(sandbox, counter("1n", ""), false);
    equal(sandbox.send(at, runOn(last)).outcome, "success");
    equal(reasonOf(sandbox.send(at, runOn(next)).output), "TypeError: the contract is not upgradeable");
  });

  it("are undone by a revert, and refused to views, to contracts that do not say so, and to no code", () => {
    const sandbox = new Sandbox();
    const at = deployed(sandbox, counter("1n"), true);
    const next = deployed(sandbox, counter("2n"), true);
    const fixed = deployed(sandbox, counter("3n", ""), false);
    const call = (name: "tryRun" | "peek") =>
      fromHex(encodeFunctionData({ abi: parseAbi([`function ${name}(address to)`]), args: [next] }));
    const before = sandbox.journal.codeHash(at);
    equal(reasonOf(sandbox.send(at, call("tryRun")).output), "no");
    equal(sandbox.journal.codeHash(at), before);
    equal(sandbox.send(at, call("peek")).outcome, "static state change");
    equal(reasonOf(sandbox.send(fixed, runOn(next)).output), "TypeError: the contract is not upgradeable");
    equal(
      reasonOf(sandbox.send(at, runOn(`0x${"77".repeat(20)}`)).output),
      "TypeError: no contract to take the code of",
    );
    equal(sandbox.journal.codeHash(at), before);
  });

  it("need a container that says what the source says", () => {
    const sandbox = new Sandbox();
    const outcomes = [
      sandbox.send(undefined, containerOf(counter("1n"), false)).outcome,
      sandbox.send(undefined, containerOf(counter("1n", ""), true)).outcome,
    ];
    deepEqual(outcomes, ["invalid container", "invalid container"]);
  });

  it("cannot be made by a library that is called: it is the caller's code that says so", () => {
    const sandbox = new Sandbox();
    const library = deployed(sandbox, counter("1n"), true);
    const target = deployed(sandbox, counter("2n"), true);
    const data: Hex = toHex(runOn(target));
    const victim = sandbox.deploy(
      contractSource(
        `functions: { run: external("(address to)", (to) => { delegatecall(to, "${data}"); }) }`,
      ),
    );
    equal(
      reasonOf(sandbox.send(victim, runOn(library)).output),
      "TypeError: the contract is not upgradeable",
    );
  });
});
