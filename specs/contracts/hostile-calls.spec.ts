/** Contracts that mean harm, called and calling: each rule of calls, and who tries to break it. specs/contracts/calls.md#hostile-contracts */
import { deepEqual, equal, ok } from "node:assert/strict";
import { encodeFunctionData, parseAbi, toFunctionSelector } from "viem";
import { type Address, fromHex, type Hex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { CALL_DEPTH_LIMIT, RETURN_DATA_LIMIT } from "../../vm/execute-message.ts";
import { type CallOptions, contractSource, encodeArgs, reasonOf, Sandbox } from "../vm/contract/sandbox.ts";

const abi = parseAbi(["function run(address to)"]);
const selector = (signature: string): Hex => toFunctionSelector(`function ${signature}`);
const TOUCH = selector("touch()");
const LOOK = selector("look()");
const REENTRY = selector("ReentrancyGuardReentrantCall()");
const PING = fromHex(selector("ping()"));

/** A contract whose `run` has `body`, with the callee's address as `to`, and which can be paid. */
const victim = (body: string, more = "", before = "") =>
  contractSource(
    `receive: () => {}, functions: { run: payable("(address to) returns (bytes)", (to) => { ${body} }), ${more} }`,
    before,
  );
const hostile = (body: string, before = "") =>
  contractSource(`fallback: { handler: () => { ${body} }, payable: true }`, before);

type Stage = { readonly sandbox: Sandbox; readonly at: Address; readonly to: Address };

function stage(victimSource: string, hostileSource: string): Stage {
  const sandbox = new Sandbox();
  return { sandbox, to: sandbox.deploy(hostileSource), at: sandbox.deploy(victimSource) };
}

function run({ sandbox, at, to }: Stage, options?: CallOptions) {
  return sandbox.send(at, fromHex(encodeFunctionData({ abi, functionName: "run", args: [to] })), options);
}

/** The `bytes` that `run` returned. */
function bytesOf(output: Hex): Hex {
  const length = Number.parseInt(output.slice(66, 130), 16);
  return `0x${output.slice(130, 130 + 2 * length)}`;
}

const textOf = (output: Hex) => new TextDecoder().decode(fromHex(bytesOf(output)));

describe("hostile callees: gas", () => {
  it("get no more than 63 of 64 parts, whatever the caller offers", () => {
    const seen = stage(
      victim(
        'const before = gasleft(); const given = BigInt(call(to, "0x01", { gas: 2n ** 200n })); ' +
          'return abi.encode("uint256, uint256", before, given);',
      ),
      hostile('return abi.encode("uint256", gasleft());'),
    );
    const { output } = run(seen);
    const [before, given] = [
      BigInt(`0x${bytesOf(output).slice(2, 66)}`),
      BigInt(`0x${bytesOf(output).slice(66)}`),
    ];
    ok(given > (before * 9n) / 10n && given <= before - before / 64n, `${given} of ${before}`);
  });

  it("that burn everything leave the caller enough to go on, three levels up, too", () => {
    const burner = "for (;;);";
    const inner = stage(
      victim('return toHex(tryCall(to, "0x01").success ? "ok" : "failed");'),
      hostile(burner),
    );
    const result = run(inner, { gas: 6_000_000 });
    deepEqual([result.outcome, textOf(result.output)], ["success", "failed"]);
    const outer = inner.sandbox.deploy(
      victim(
        `try { call("${inner.to}", "0x01"); } catch {} return tryCall(to, concat("${selector("run(address)")}", abi.encode("address", "${inner.to}"))).data;`,
      ),
    );
    const above = run({ ...inner, at: outer, to: inner.at }, { gas: 29_000_000 });
    equal(above.outcome, "success");
  });

  it("that exhaust memory or stack, or trap, fail as any other", () => {
    const ends = {
      "out of memory": "const kept = []; for (;;) kept.push(new Uint8Array(1e6));",
      "stack limit": "const deep = () => deep() + 1; return String(deep());",
      trap: "[].toReversed.call({ length: 2 ** 29 + 1 });",
    };
    for (const [outcome, body] of Object.entries(ends)) {
      const { output } = run(
        stage(
          victim(
            'try { call(to, "0x01", { gas: 5_000_000n }); } catch (e) { return toHex(e.message); } return "0x";',
          ),
          hostile(body),
        ),
        { gas: 29_000_000 },
      );
      equal(textOf(output), `call failed: ${outcome}`);
    }
  });
});

describe("hostile callees: value and the stipend", () => {
  const pay = 'return toHex(tryCall(to, "0x", { value: 5n, gas: 0n }).success ? "paid" : "failed");';
  const taker = (body: string, before = "") => contractSource(`receive: () => { ${body} }`, before);

  it("can do nothing with the stipend but be paid", () => {
    const doings: Readonly<Record<string, string>> = {
      "write storage": taker("s.x = 1n;", 'const s = storage({ x: "uint256" });'),
      "write transient storage and log": taker("for (let i = 0n; ; i++) transient.set(i, 1n);"),
      "call back": taker('call(msg.sender, "0x12345678");'),
      "spend it": taker("for (;;);"),
    };
    for (const [name, source] of Object.entries(doings)) {
      const { sandbox, at, to } = stage(victim(pay), source);
      const { output } = run({ sandbox, at, to }, { value: 9n });
      deepEqual([name, textOf(output)], [name, "failed"]);
      deepEqual([sandbox.journal.balance(at), sandbox.journal.balance(to)], [9n, 0n]);
    }
    const { sandbox, at, to } = stage(victim(pay), taker(""));
    equal(textOf(run({ sandbox, at, to }, { value: 9n }).output), "paid");
    deepEqual([sandbox.journal.balance(at), sandbox.journal.balance(to)], [4n, 5n]);
  });

  it("give back what they were sent when they fail, and what the caller does not have is not sent", () => {
    const refuser = stage(
      victim('return toHex(String(tryCall(to, "0x01", { value: 7n }).success));'),
      hostile('throw new Error("no");'),
    );
    equal(textOf(run(refuser, { value: 7n }).output), "false");
    deepEqual(
      [refuser.sandbox.journal.balance(refuser.at), refuser.sandbox.journal.balance(refuser.to)],
      [7n, 0n],
    );
    const poor = stage(
      victim('try { call(to, "0x01", { value: 8n }); } catch (e) { return toHex(e.message); } return "0x";'),
      hostile(""),
    );
    equal(textOf(run(poor, { value: 7n }).output), "call failed: insufficient balance");
  });

  it("cannot spend the value twice through delegatecall", () => {
    const twice = stage(
      victim(
        'delegatecall(to, "0x01"); delegatecall(to, "0x01"); return abi.encode("uint256", self.balance);',
      ),
      hostile(
        'if (msg.value !== 3n) throw new Error("other value"); if (self.balance >= 3n) call("0x00000000000000000000000000000000000000aa", "0x", { value: msg.value });',
      ),
    );
    const { outcome, output } = run(twice, { value: 3n });
    deepEqual([outcome, BigInt(bytesOf(output))], ["success", 0n]);
    equal(twice.sandbox.journal.balance(`0x${"aa".padStart(40, "0")}`), 3n);
  });
});

describe("hostile callees: depth", () => {
  it("can nest no deeper than the limit, and what is refused costs them nothing more", () => {
    const { sandbox, at } = stage(
      contractSource(
        `functions: { run: external("(address to) returns (bytes)", (to) => {
           const inner = tryCall(self.address, msg.data);
           return abi.encode("uint256", inner.success ? BigInt(abi.decode("bytes", inner.data)[0]) + 1n : 1n);
         }, { reentrant: true }) }`,
      ),
      hostile(""),
    );
    const { outcome, output } = run({ sandbox, at, to: at }, { gas: 29_000_000 });
    const depth = BigInt(bytesOf(output));
    equal(outcome, "success");
    ok(depth > 10n && depth <= BigInt(CALL_DEPTH_LIMIT + 1), `${depth} frames`);
  });
});

describe("hostile callees: return data", () => {
  const bytes = (count: number) => `"0x" + "ab".repeat(${count})`;

  it("are cut off at the limit, whether they return it or revert with it", () => {
    const sandbox = new Sandbox();
    const send = (body: string, before = "") => {
      const { outcome, output } = sandbox.send(sandbox.deploy(hostile(body, before)), PING, {
        gas: 29_000_000,
      });
      return outcome === "success" ? (output.length - 2) / 2 : [outcome, reasonOf(output)];
    };
    const refused = ["revert", `return data is longer than ${RETURN_DATA_LIMIT} bytes`];
    equal(send(`return ${bytes(RETURN_DATA_LIMIT)};`), RETURN_DATA_LIMIT);
    deepEqual(send(`return ${bytes(RETURN_DATA_LIMIT + 1)};`), refused);
    deepEqual(
      send(`throw Bad({ data: ${bytes(RETURN_DATA_LIMIT)} });`, 'const Bad = error("Bad(bytes data)");'),
      refused,
    );
  });

  it("undo what they changed when they return too much", () => {
    const { sandbox, at, to } = stage(
      victim('tryCall(to, "0x01"); return staticcall(to, "0x");'),
      contractSource(
        `fallback: (data) => { if (data === "0x") return abi.encode("uint256", s.x); s.x = 1n; return ${bytes(RETURN_DATA_LIMIT + 1)}; }`,
        'const s = storage({ x: "uint256" });',
      ),
    );
    const { outcome, output } = run({ sandbox, at, to }, { gas: 29_000_000 });
    deepEqual([outcome, BigInt(bytesOf(output))], ["success", 0n]);
  });

  it("cost a caller who reads them no more than it cost to make them", () => {
    const bomb = stage(
      victim(
        'const before = gasleft(); const { success } = tryCall(to, "0x01", { gas: 1_000_000n }); return abi.encode("bool, uint256", success, before - gasleft());',
      ),
      // As much as the gas it was sent makes.
      hostile(`return ${bytes(300_000)};`),
    );
    const { outcome, output } = run(bomb, { gas: 2_200_000 });
    equal(outcome, "success");
    ok(BigInt(`0x${bytesOf(output).slice(66)}`) < 2_000_000n);
  });
});

describe("hostile callees: revert data", () => {
  it("reaches the outermost caller unchanged through every frame that does not catch it", () => {
    const data = [
      `0x08c379a0${"ff".repeat(64)}`,
      "0x4e487b71",
      "0x",
      `0x${"00".repeat(4)}`,
      `0xdeadbeef${"11".repeat(100)}`,
    ];
    for (const payload of data) {
      const sandbox = new Sandbox();
      const pass = (to: Address) => sandbox.deploy(hostile(`return call("${to}", "0x01");`));
      const source = hostile(`const e = new Error("x"); e.payload = "${payload}"; throw e;`);
      const outermost = pass(pass(pass(sandbox.deploy(source))));
      const { outcome, output } = sandbox.send(outermost, PING);
      deepEqual([outcome, output], ["revert", payload]);
    }
  });

  it("that is no bytes at all is not taken for data", () => {
    for (const payload of ['"0x1"', '"zz"', "7", "{}"]) {
      const sandbox = new Sandbox();
      const { outcome, output } = sandbox.send(
        sandbox.deploy(hostile(`const e = new Error("x"); e.payload = ${payload}; throw e;`)),
        PING,
      );
      deepEqual([outcome, reasonOf(output)], ["revert", "x"]);
    }
  });
});

describe("hostile callees: re-entry", () => {
  const bank = (functions: string) =>
    contractSource(
      `receive: () => {}, functions: {
         run: payable("(address to) returns (bytes)", (to) => call(to, "0x01")),
         touch: external("()", () => { s.x += 1n; }), look: view("() returns (uint256)", () => s.x), ${functions} }`,
      'const s = storage({ x: "uint256" });',
    );
  const reenter = (call: string) => hostile(`return call(msg.sender, "${call}");`);
  const outputOf = (functions: string, call: string) => run(stage(bank(functions), reenter(call))).output;

  it("is denied to what changes state, open to views and to being paid, and as the callee says", () => {
    equal(outputOf("", TOUCH), REENTRY);
    equal(run(stage(bank(""), reenter(LOOK))).outcome, "success");
    equal(outputOf("", selector("run(address)")), REENTRY);
    const paysBack = stage(bank(""), hostile('return call(msg.sender, "0x", { value: msg.value });'));
    equal(run(paysBack).outcome, "success");
    const open = 'open: external("()", () => { s.x += 1n; }, { reentrant: true })';
    equal(run(stage(bank(open), reenter(selector("open()")))).outcome, "success");
    const shut = 'shut: view("() returns (uint256)", () => s.x, { reentrant: false })';
    equal(outputOf(shut, selector("shut()")), REENTRY);
  });

  it("is denied through other contracts, delegatecalls and constructors", () => {
    const { sandbox, at } = stage(bank(""), reenter(TOUCH));
    const last = sandbox.deploy(hostile(`return call("${at}", "${TOUCH}");`));
    const between = sandbox.deploy(hostile(`return call("${last}", "0x01");`));
    equal(run({ sandbox, at, to: between }).output, REENTRY);
    const borrowed = sandbox.deploy(hostile(`return delegatecall("${last}", "0x01");`));
    equal(run({ sandbox, at, to: borrowed }).output, REENTRY);
    const template = sandbox.deploy(
      contractSource(
        `init: init("address to", (to) => { if (to !== ZERO) call(to, "${TOUCH}"); }), functions: {}`,
      ),
      encodeArgs("address", `0x${"00".repeat(20)}`),
    );
    const creator = sandbox.deploy(hostile(`return create("${template}", abi.encode("address", "${at}"));`));
    equal(run({ sandbox, at, to: creator }).output, REENTRY);
  });

  it("that is denied can be caught, and the bank goes on", () => {
    const { sandbox, at } = stage(bank(""), reenter(TOUCH));
    const catcher = sandbox.deploy(
      hostile(
        `const { success, data } = tryCall(msg.sender, "${TOUCH}"); return concat(success ? "0x01" : "0x00", data);`,
      ),
    );
    const { outcome, output } = run({ sandbox, at, to: catcher });
    deepEqual([outcome, bytesOf(output)], ["success", `0x00${REENTRY.slice(2)}`]);
  });
});

describe("hostile callees: static frames", () => {
  const CHANGES: Readonly<Record<string, string>> = {
    "storage write": "s.x = 1n;",
    "storage clear": "s.m.delete(ZERO);",
    "array push": "s.list.push(1n);",
    "transient write": "transient.set(0n, 1n);",
    log: "E({ x: 1n });",
    "call with value": 'call(ZERO, "0x", { value: 1n });',
    "delegatecall to a writer": "delegatecall(WRITER, '0x01');",
    "call to a writer": "call(WRITER, '0x01');",
    creation: 'create(WRITER, "0x");',
    upgrade: "upgrade(WRITER);",
  };
  const before =
    'const s = storage({ x: "uint256", m: mapping("address", "uint256"), list: array("uint256") }); const E = event("E(uint256 x)");';

  for (const [name, body] of Object.entries(CHANGES)) {
    it(`cannot make a ${name}, nor catch that they could not`, () => {
      const sandbox = new Sandbox();
      const writer = sandbox.deploy(hostile("s.x = 1n;", before));
      const code = body.replaceAll("WRITER", `"${writer}"`);
      const isNested = name.endsWith("to a writer");
      const to = sandbox.deploy(hostile(`try { ${code} } catch {} return "0x01";`, before), undefined, {
        value: 0n,
      });
      const at = sandbox.deploy(
        victim(
          'const { success, data } = tryStatic(to); return concat(success ? "0x01" : "0x00", data);',
          "",
          'const tryStatic = (to) => { try { return { success: true, data: staticcall(to, "0x01") }; } catch (e) { return { success: false, data: toHex(e.message) }; } };',
        ),
      );
      const { output } = run({ sandbox, at, to });
      // What a sub-call of theirs could not do, they see fail; what they could not do themselves ends them.
      const expected = isNested
        ? "0x0101"
        : `0x00${toHex(utf8ToBytes("call failed: static state change")).slice(2)}`;
      equal(bytesOf(output), expected);
      for (const address of [to, writer]) {
        equal(sandbox.journal.storage(address, `0x${"00".repeat(32)}`), 0n);
        equal(sandbox.journal.transientStorage(address, `0x${"00".repeat(32)}`), 0n);
      }
      deepEqual(sandbox.journal.logs(), []);
    });
  }
});
