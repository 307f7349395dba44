/** specs/contracts/calls.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import { encodeFunctionData, encodePacked, parseAbi, recoverAddress, sha256, toFunctionSelector } from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import { create2Address, createAddress } from "../../../primitives/address.ts";
import {
  type Address,
  concatBytes,
  fromHex,
  type Hex,
  toHex,
  utf8ToBytes,
} from "../../../primitives/bytes.ts";
import { keccak256Hex } from "../../../primitives/hash.ts";
import { ALICE, containerOf, contractSource, encodeArgs, reasonOf, Sandbox } from "./sandbox.ts";

const abi = parseAbi(["function run(address to)", "function ping() returns (uint256)", "function run()"]);
const REENTRANT = toFunctionSelector("function ReentrancyGuardReentrantCall()");
const RUN = fromHex(encodeFunctionData({ abi, functionName: "run", args: [] }));
const runOn = (to: Address) => fromHex(encodeFunctionData({ abi, functionName: "run", args: [to] }));

const caller = (body: string, more = "", before = "") =>
  contractSource(
    `functions: { run: external("(address to) returns (bytes)", (to) => { ${body} }), ${more} }`,
    before,
  );

const callee = contractSource(
  `receive: () => {},
   functions: {
     ping: payable("() returns (uint256)", () => { s.pings += 1n; return s.pings; }),
     who: view("() returns (address, address)", () => [msg.sender, self.address]),
     fail: external("(uint256 x)", (x) => { throw Bad({ x }); }),
     loop: external("()", () => { for (;;); }),
   }`,
  'const s = storage({ pings: "uint256" }); const Bad = error("Bad(uint256 x)");',
);
const iface = `const Callee = iface({ ping: "() payable returns (uint256)", who: "() view returns (address, address)",
  fail: "(uint256 x)", loop: "()" });`;

function world(body: string, more = "", before = iface) {
  const sandbox = new Sandbox();
  const target = sandbox.deploy(callee);
  const at = sandbox.deploy(caller(body, more, before));
  return { sandbox, target, at, result: sandbox.send(at, runOn(target)) };
}

const returned = (output: Hex) => {
  const length = Number.parseInt(output.slice(66, 130), 16);
  return `0x${output.slice(130, 130 + 2 * length)}`;
};

describe("calls between contracts", () => {
  it("return what the callee returned, and keep what it changed", () => {
    const { result } = world('Callee(to).ping(); return abi.encode("uint256", Callee(to).ping());');
    equal(returned(result.output), toHex(encodeArgs("uint256", 2n)));
  });

  it("show the callee who calls, and in a delegatecall who called the caller", () => {
    const direct = world('return abi.encode("address, address", ...Callee(to).who());');
    equal(returned(direct.result.output), toHex(encodeArgs("address, address", direct.at, direct.target)));
    const delegate = world('return delegatecall(to, "0x16ae6b67");', "", "");
    equal(reasonOf(delegate.result.output), "unknown function 0x16ae6b67");
    const selector = encodeFunctionData({ abi: parseAbi(["function who()"]) });
    const who = world(`return delegatecall(to, "${selector}");`, "", "");
    equal(returned(who.result.output), toHex(encodeArgs("address, address", ALICE, who.at)));
  });

  it("let a caller catch a failure and undo what the callee did", () => {
    const body =
      'try { Callee(to).fail(7n); } catch (e) { return concat(e.payload, Bad.is(e) ? "0x01" : "0x00"); } return "0x";';
    const { result } = world(body, "", `${iface} const Bad = error("Bad(uint256 x)");`);
    const data = encodeFunctionData({ abi: parseAbi(["function Bad(uint256 x)"]), args: [7n] });
    equal(returned(result.output), `${data}01`);
  });

  it("pass an uncaught failure on unchanged", () => {
    const { result } = world('Callee(to).fail(7n); return "0x";');
    deepEqual(
      [result.outcome, result.output],
      ["revert", encodeFunctionData({ abi: parseAbi(["function Bad(uint256 x)"]), args: [7n] })],
    );
  });

  it("keep a 64th of the gas back, so that a caller survives a callee that takes all", () => {
    const { result } = world(
      "try { Callee(to).loop(); } catch (e) { return toHex(e.message); } return '0x';",
    );
    equal(result.outcome, "success");
    equal(returned(result.output), toHex(utf8ToBytes("call failed: out of gas")));
    ok(result.gasUsed > 9_800_000);
  });

  it("send value with a stipend, and fail without funds", () => {
    const paid = world('call(to, "0x", { value: 3n, gas: 5_000n }); return "0x";');
    equal(reasonOf(paid.result.output), "0x");
    const { sandbox, at, target } = paid;
    equal(sandbox.send(at, runOn(target)).outcome, "revert");
    const funded = new Sandbox();
    const to = funded.deploy(callee);
    const payer = funded.deploy(
      contractSource(
        'functions: { run: payable("(address to)", (to) => { call(to, "0x", { value: 3n, gas: 1_000n }); }) }',
      ),
    );
    equal(funded.send(payer, runOn(to), { value: 3n }).outcome, "success");
    equal(funded.journal.balance(to), 3n);
  });

  it("end where the engine's stack does, the same on every node: 26 frames of a small contract", () => {
    const { sandbox, at } = world(
      "try { return call(self.address, msg.data); } catch (e) { return toHex(e.message); }",
      "",
      "",
    );
    const deep = sandbox.deploy(
      contractSource(`functions: { run: external("() returns (uint256)", () => {
        try { return BigInt(call(self.address, msg.data)) + 1n; } catch { return 0n; } }, { reentrant: true }) }`),
    );
    for (const gas of [10_000_000, 25_000_000]) {
      const { outcome, output } = sandbox.send(deep, RUN, { gas });
      deepEqual([outcome, BigInt(output)], ["success", 25n]);
    }
    equal(sandbox.send(at, runOn(at)).outcome, "success");
  });

  it("in a staticcall change nothing", () => {
    const data = encodeFunctionData({ abi, functionName: "ping" });
    const { result } = world(`return staticcall(to, "${data}");`, "", "");
    deepEqual([result.outcome, result.output], ["revert", "0x"]);
  });

  it("reach accounts without code, and precompiles", () => {
    const plain = world("return call(ZERO, '0x1234');", "", "");
    equal(returned(plain.result.output), "0x");
    const hashed = world('return call("0x0000000000000000000000000000000000000002", "0x1234");', "", "");
    equal(returned(hashed.result.output), sha256("0x1234"));
  });
});

describe("re-entry", () => {
  const bank = (options: string) =>
    contractSource(
      `functions: {
         run: external("(address to) returns (bytes)", (to) => call(to, "0x")),
         touch: external("()", () => { s.x = 1n; }${options}),
         look: view("() returns (uint256)", () => s.x),
       }`,
      'const s = storage({ x: "uint256" });',
    );
  const attacker = (signature: string) =>
    contractSource(`fallback: () => call(msg.sender, "${toFunctionSelector(`function ${signature}()`)}")`);

  function attack(options: string, signature: string) {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(bank(options));
    return sandbox.send(at, runOn(sandbox.deploy(attacker(signature))));
  }

  it("is denied to functions that change state", () => {
    deepEqual([attack("", "touch").outcome, attack("", "touch").output], ["revert", REENTRANT]);
  });

  it("is open to views, and to functions that say so", () => {
    equal(attack("", "look").outcome, "success");
    equal(attack(", { reentrant: true }", "touch").outcome, "success");
  });

  it("is judged by the storage, so a delegatecall does not hide it", () => {
    const sandbox = new Sandbox();
    const at = sandbox.deploy(bank(""));
    const data = encodeFunctionData({ abi: parseAbi(["function touch()"]) });
    const back = sandbox.deploy(contractSource(`fallback: () => call(msg.sender, "${data}")`));
    const proxy = sandbox.deploy(contractSource(`fallback: (data) => delegatecall("${at}", data)`));
    deepEqual(sandbox.send(proxy, runOn(back)).output, REENTRANT);
  });
});

describe("creations by contracts", () => {
  const template = contractSource(
    'init: init("uint256 x", (x) => { s.x = x; }), functions: { get: view("() returns (uint256)", () => s.x) }',
    'const s = storage({ x: "uint256" });',
  );

  it("copy the code of an account, at the addresses of CREATE and CREATE2", () => {
    const sandbox = new Sandbox();
    const original = sandbox.deploy(template, encodeArgs("uint256", 1n));
    const factory = sandbox.deploy(
      contractSource(`functions: { run: external("(address to) returns (address, address)", (to) =>
        [create(to, abi.encode("uint256", 5n)), create(to, abi.encode("uint256", 6n), { salt: "0x${"07".repeat(32)}" })]) }`),
    );
    const { outcome, output } = sandbox.send(factory, runOn(original));
    equal(outcome, "success");
    const initCode = concatBytes(containerOf(template), encodeArgs("uint256", 6n));
    equal(
      output,
      toHex(
        encodeArgs(
          "address, address",
          createAddress(factory, 1n),
          create2Address(factory, `0x${"07".repeat(32)}`, keccak256Hex(initCode)),
        ),
      ),
    );
    const get = fromHex(encodeFunctionData({ abi: parseAbi(["function get()"]) }));
    equal(BigInt(sandbox.send(createAddress(factory, 1n), get).output), 5n);
  });
});

describe("hashes and signatures", () => {
  const evaluate = (expression: string) => {
    const sandbox = new Sandbox();
    const source = contractSource(`functions: { run: view("() returns (bytes)", () => ${expression}) }`);
    const { output, outcome } = sandbox.send(sandbox.deploy(source), RUN);
    return outcome === "success" ? returned(output) : reasonOf(output);
  };

  it("recover the address that signed", async () => {
    const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
    const hash = keccak256Hex(utf8ToBytes("message"));
    const { r, s, v } = await sign({ hash, privateKey: `0x${"11".repeat(32)}` });
    equal(evaluate(`ecrecover("${hash}", ${v}n, "${r}", "${s}")`), account.address.toLowerCase());
    equal(evaluate(`ecrecover("${hash}", 29n, "${r}", "${s}")`), `0x${"00".repeat(20)}`);
    equal(
      (await recoverAddress({ hash, signature: { r, s, v: v as bigint } })).toLowerCase(),
      account.address.toLowerCase(),
    );
  });

  it("are those of Ethereum", () => {
    equal(evaluate('keccak256("0x1234")'), keccak256Hex(fromHex("0x1234")));
    equal(evaluate('sha256("0x1234")'), sha256("0x1234"));
    equal(evaluate('ripemd160("0x")'), "0x9c1185a5c5e9fc54612808977ee8f548b2258d31");
    equal(
      evaluate(
        'abi.encodePacked("uint8, string, address, bool, bytes2, int16[]", 1n, "ab", ZERO, true, "0xffee", [-1n])',
      ),
      encodePacked(
        ["uint8", "string", "address", "bool", "bytes2", "int16[]"],
        [1, "ab", `0x${"00".repeat(20)}`, true, "0xffee", [-1]],
      ),
    );
    equal(
      evaluate(
        'abi.encode("(uint256 a, string b)[]", abi.decode("(uint256 a, string b)[]", abi.encode("(uint256 a, string b)[]", [{ a: 1n, b: "x,y" }]))[0])',
      ),
      toHex(encodeArgs("(uint256 a, string b)[]", [{ a: 1n, b: "x,y" }])),
    );
  });

  it("check addresses that are written by hand", () => {
    equal(
      evaluate('address("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")'),
      "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
    );
    equal(
      evaluate('address("0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359")'),
      "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
    );
    equal(
      evaluate('address("0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")'),
      "TypeError: wrong checksum in address 0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    );
    equal(evaluate('address("0x12")'), "TypeError: not an address: 0x12");
  });
});
