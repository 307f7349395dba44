/** Spec of transactions and messages as they run: fees, nonces, value, creation, depth, failure. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { create2Address, createAddress } from "../../primitives/address.ts";
import { type Address, EMPTY_BYTES, fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { blockEnvironment } from "../../vm/block-execution.ts";
import { CALL_DEPTH_LIMIT, executeMessage } from "../../vm/execute-message.ts";
import { type BlockContext, executeTransaction } from "../../vm/execute-transaction.ts";
import type { Frame, Message, MessageResult } from "../../vm/message.ts";
import { createJournal } from "../../vm/state/journal.ts";
import {
  accounts,
  ETHER,
  ExecutionChain,
  feeRecipient,
  fundedAllocation,
  GWEI,
  signed,
} from "../support/execution-chain.ts";
import { end, type Script, ScriptedMachine } from "../support/scripted-machine.ts";

const CODE = fromHex("0xef4a5303");
const CONTRACT: Address = "0xc0de000000000000000000000000000000000000";
const SLOT = toHash(1n);

function contextWith(script: Script, machine = new ScriptedMachine()): BlockContext {
  const allocation = fundedAllocation(new Map([[CONTRACT, { balance: 0n, nonce: 1n, code: CODE }]]));
  const { input } = new ExecutionChain(allocation, machine.add(CODE, script));
  const header = { ...input.parent, feeRecipient, baseFeePerGas: GWEI };
  return {
    block: blockEnvironment(4242n, header, input.ancestorHash),
    journal: createJournal(input.state),
    machine,
  };
}

function callFrom(frame: Frame, more: Partial<Message>): MessageResult {
  return executeMessage(frame.context, {
    kind: "call",
    caller: frame.self,
    self: CONTRACT,
    codeAddress: more.self ?? CONTRACT,
    value: 0n,
    data: EMPTY_BYTES,
    gas: frame.gas,
    isStatic: false,
    depth: frame.depth + 1,
    parent: frame,
    ...more,
  });
}

const call = { to: CONTRACT, gasLimit: 100_000n };

describe("execute transaction: fees", () => {
  it("takes the whole limit first and gives back what is left, less what failed frames burnt", () => {
    for (const [outcome, gasUsed] of [
      ["success", 30_000],
      ["revert", 30_000],
      ["out of gas", 100_000],
      ["stack limit", 100_000],
    ] as const) {
      let balance = 0n;
      const context = contextWith((frame) => {
        balance = frame.context.journal.balance(accounts[0]!);
        return end(outcome, frame.gas - 9_000);
      });
      const result = executeTransaction(context, signed(0, call), 30_000_000n);
      deepEqual([result.outcome, result.gasUsed], [outcome, gasUsed]);
      equal(balance, 100n * ETHER - 100_000n * 2n * GWEI);
      equal(context.journal.balance(accounts[0]!), 100n * ETHER - BigInt(gasUsed) * 2n * GWEI);
      equal(context.journal.balance(feeRecipient), BigInt(gasUsed) * GWEI);
      equal(context.journal.nonce(accounts[0]!), 1n);
    }
  });

  it("changes nothing when it may not be in the block", () => {
    const context = contextWith(() => end("success", 0));
    const before = context.journal.changes();
    throws(() => executeTransaction(context, signed(0, { ...call, nonce: 1n }), 30_000_000n), {
      detail: { code: "NONCE_TOO_HIGH", nonce: 1n, expected: 0n },
    });
    deepEqual(context.journal.changes(), before);
  });

  it("undoes a failed transaction's logs, writes, refund and value, and keeps its fee", () => {
    const context = contextWith((frame) => {
      const { journal } = frame.context;
      journal.addLog({ address: frame.self, topics: [], data: EMPTY_BYTES });
      journal.setStorage(frame.self, SLOT, 1n);
      journal.addRefund(50_000);
      return end("revert", 0);
    });
    const result = executeTransaction(context, signed(0, { ...call, value: ETHER }), 30_000_000n);
    deepEqual([result.logs, result.gasUsed], [[], 100_000]);
    equal(context.journal.storage(CONTRACT, SLOT), 0n);
    equal(context.journal.balance(CONTRACT), 0n);
  });

  it("starts with sender, recipient, fee recipient, precompiles and access list warm", () => {
    const precompile: Address = `0x${"00".repeat(19)}01`;
    const other: Address = `0x${"ee".repeat(20)}`;
    let warm: readonly boolean[] = [];
    const machine = new ScriptedMachine();
    machine.precompiles.set(precompile, (_data, gas) => end("success", gas));
    const context = contextWith((frame) => {
      const { journal } = frame.context;
      const addresses = [accounts[0]!, CONTRACT, feeRecipient, precompile, other, accounts[5]!];
      warm = [...addresses.map((address) => journal.touchAddress(address)), journal.touchSlot(other, SLOT)];
      return end("success", frame.gas);
    }, machine);
    const accessList = [{ address: other, storageKeys: [SLOT] }];
    executeTransaction(context, signed(0, { ...call, accessList }), 30_000_000n);
    deepEqual(warm, [true, true, true, true, true, false, true]);
  });
});

describe("execute message: creation", () => {
  const created = createAddress(accounts[0]!, 0n);
  const create = { to: undefined, data: CODE, gasLimit: 200_000n, value: 5n };

  it("stores the code at the address of sender and nonce, with nonce 1 and the value", () => {
    const context = contextWith((frame) => end("success", frame.gas));
    const result = executeTransaction(context, signed(0, create), 30_000_000n);
    equal(result.contractAddress, created);
    const { journal } = context;
    deepEqual(
      [journal.code(created), journal.nonce(created), journal.balance(created), journal.nonce(accounts[0]!)],
      [CODE, 1n, 5n, 1n],
    );
  });

  it("leaves nothing behind when the constructor fails", () => {
    const context = contextWith((frame) => end("revert", frame.gas, Uint8Array.of(1)));
    const result = executeTransaction(context, signed(0, create), 30_000_000n);
    deepEqual(
      [result.outcome, result.contractAddress, result.output],
      ["revert", undefined, Uint8Array.of(1)],
    );
    equal(context.journal.exists(created), false);
    equal(context.journal.nonce(accounts[0]!), 1n);
  });

  it("refuses what is no container, and takes all gas", () => {
    const context = contextWith((frame) => end("success", frame.gas));
    const result = executeTransaction(
      context,
      signed(0, { ...create, data: fromHex("0x6000") }),
      30_000_000n,
    );
    deepEqual([result.outcome, result.gasUsed], ["invalid container", 200_000]);
  });

  it("refuses an address that is taken by a nonce, by code or by storage, and takes all gas", () => {
    for (const occupant of [
      { balance: 0n, nonce: 1n },
      { balance: 0n, code: CODE },
      { balance: 0n, storage: new Map([[SLOT, 1n]]) },
    ]) {
      const machine = new ScriptedMachine().add(CODE, (frame) => end("success", frame.gas));
      const chain = new ExecutionChain(fundedAllocation(new Map([[created, occupant]])), machine);
      const built = chain.build([signed(0, create)]);
      deepEqual([built.receipts[0]!.succeeded, built.gasUsed], [false, 200_000n]);
    }
  });

  it("raises the creator's nonce for good, even when the creation fails", () => {
    const results: unknown[] = [];
    const context = contextWith((frame) => {
      if (frame.kind === "create") return end("revert", frame.gas);
      const { journal } = frame.context;
      for (const salt of [1n, 2n]) {
        const self = create2Address(frame.self, toHash(salt), toHex(keccak256(CODE)));
        const { outcome } = callFrom(frame, { kind: "create", self, data: CODE });
        results.push([outcome, journal.nonce(frame.self), journal.touchAddress(self)]);
      }
      return end("success", frame.gas);
    });
    executeTransaction(context, signed(0, call), 30_000_000n);
    deepEqual(results, [
      ["revert", 2n, true],
      ["revert", 3n, true],
    ]);
  });
});

describe("execute message: calls", () => {
  it("moves value with a call, and gives it back when the callee fails", () => {
    const balances: bigint[] = [];
    const context = contextWith((frame) => {
      if (frame.depth === 1) return end(frame.data.length === 0 ? "success" : "out of gas", 0);
      const { journal } = frame.context;
      callFrom(frame, { self: accounts[5]!, value: 3n });
      balances.push(journal.balance(frame.self));
      callFrom(frame, { value: 2n, data: Uint8Array.of(1) });
      balances.push(journal.balance(frame.self));
      return end("success", frame.gas);
    });
    executeTransaction(context, signed(0, { ...call, value: 10n }), 30_000_000n);
    deepEqual(balances, [7n, 7n]);
    equal(context.journal.balance(accounts[5]!), 100n * ETHER + 3n);
  });

  it("refuses, for no gas: value it does not have, depth beyond the limit, change in a static call", () => {
    const refused: unknown[] = [];
    const context = contextWith((frame) => {
      const ask = (more: Partial<Message>) => {
        const { outcome, gasLeft } = callFrom(frame, { self: accounts[5]!, ...more });
        refused.push([outcome, gasLeft]);
      };
      ask({ value: 1n });
      ask({ depth: CALL_DEPTH_LIMIT + 1 });
      ask({ isStatic: true, value: 1n });
      ask({ isStatic: true, kind: "create" });
      ask({ depth: CALL_DEPTH_LIMIT });
      return end("success", frame.gas);
    });
    executeTransaction(context, signed(0, call), 30_000_000n);
    const gas = 79_000;
    deepEqual(refused, [
      ["insufficient balance", gas],
      ["call depth limit", gas],
      ["static state change", gas],
      ["static state change", gas],
      ["success", gas],
    ]);
  });

  it("runs another's code on the caller's own storage and balance in a delegatecall, and moves nothing", () => {
    const library: Address = `0x${"1b".repeat(20)}`;
    const seen: unknown[] = [];
    const allocation = fundedAllocation(
      new Map([
        [CONTRACT, { balance: 0n, nonce: 1n, code: CODE }],
        [library, { balance: 0n, nonce: 1n, code: Uint8Array.of(1, 2) }],
      ]),
    );
    const machine = new ScriptedMachine()
      .add(CODE, (frame) =>
        callFrom(frame, {
          kind: "delegatecall",
          caller: frame.caller,
          codeAddress: library,
          value: frame.value,
        }),
      )
      .add(Uint8Array.of(1, 2), (frame) => {
        seen.push([frame.self, frame.caller, frame.value, frame.context.journal.balance(frame.self)]);
        return end("success", frame.gas);
      });
    new ExecutionChain(allocation, machine).build([signed(0, { ...call, value: 9n })]);
    deepEqual(seen, [[CONTRACT, accounts[0], 9n, 9n]]);
  });

  it("runs a precompile instead of code, and takes its gas", () => {
    const precompile: Address = `0x${"00".repeat(19)}04`;
    const machine = new ScriptedMachine();
    machine.precompiles.set(precompile, (data, gas) => end("success", gas - 18, data));
    const context = contextWith(() => end("success", 0), machine);
    const result = executeTransaction(
      context,
      signed(0, { to: precompile, gasLimit: 50_000n, data: Uint8Array.of(5) }),
      30_000_000n,
    );
    deepEqual([result.output, result.gasUsed], [Uint8Array.of(5), 21_000 + 40]);
  });
});
