/** Spec of gas: sums over the schedule, net metering of storage, refunds and floors, estimates. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { type Address, EMPTY_BYTES, fromHex, type Hash, toHash } from "../../primitives/bytes.ts";
import { type CallRequest, type CallSite, executeCall } from "../../vm/call.ts";
import { estimateGas } from "../../vm/estimate-gas.ts";
import { executeMessage } from "../../vm/execute-message.ts";
import { gasAfterRefund } from "../../vm/execute-transaction.ts";
import { allButOne64th, floorGas, intrinsicGas } from "../../vm/gas.ts";
import type { Frame } from "../../vm/message.ts";
import { createJournal } from "../../vm/state/journal.ts";
import { loadGas, storeCost, touchAccountGas } from "../../vm/state-gas.ts";
import { accounts, ETHER, ExecutionChain, fundedAllocation, GWEI } from "../support/execution-chain.ts";
import { MemoryState } from "../support/memory-state.ts";
import { end, type Script, ScriptedMachine } from "../support/scripted-machine.ts";

const CODE = fromHex("0xef4a5302");
const CONTRACT: Address = "0xc0de000000000000000000000000000000000000";
const SLOT: Hash = toHash(1n);

describe("gas: before anything runs", () => {
  const to = CONTRACT;

  it("charges the transaction, each byte of data, creation and the access list", () => {
    equal(intrinsicGas({ to, data: EMPTY_BYTES }), 21_000);
    equal(intrinsicGas({ to, data: fromHex("0x0001") }), 21_020);
    equal(intrinsicGas({ to: undefined, data: new Uint8Array(33) }), 21_000 + 32_000 + 33 * 4 + 2 * 2);
    const accessList = [{ address: to, storageKeys: [SLOT, SLOT] }];
    equal(intrinsicGas({ to, data: EMPTY_BYTES, accessList }), 21_000 + 2_400 + 2 * 1_900);
  });

  it("has a floor of ten gas a token, four tokens a non-zero byte (EIP-7623)", () => {
    equal(floorGas(EMPTY_BYTES), 21_000);
    equal(floorGas(fromHex("0x0001")), 21_000 + 10 * (1 + 4));
  });

  it("leaves a caller the 64th part, rounded down", () => {
    deepEqual([0, 63, 64, 6_400].map(allButOne64th), [0, 63, 63, 6_300]);
  });

  it("refunds at most a fifth of the gas used, and never goes below the floor", () => {
    equal(gasAfterRefund(100_000, 4_800, 21_000), 95_200);
    equal(gasAfterRefund(100_000, 30_000, 21_000), 80_000);
    equal(gasAfterRefund(30_000, 30_000, 29_000), 29_000);
  });
});

describe("gas: state access", () => {
  const journalWith = (original: bigint) =>
    createJournal(
      MemoryState.of(new Map([[CONTRACT, { balance: 0n, nonce: 1n, storage: new Map([[SLOT, original]]) }]])),
    );

  it("charges the first access more (EIP-2929)", () => {
    const journal = journalWith(1n);
    deepEqual([touchAccountGas(journal, CONTRACT), touchAccountGas(journal, CONTRACT)], [2_600, 100]);
    deepEqual([loadGas(journal, CONTRACT, SLOT), loadGas(journal, CONTRACT, SLOT)], [2_100, 100]);
  });

  // The table of EIP-3529, "With reduced refunds": what a run of writes costs in all on a warm slot, and its refund.
  const table: readonly (readonly [
    original: bigint,
    writes: readonly bigint[],
    gas: number,
    refund: number,
  ])[] = [
    [0n, [0n, 0n], 200, 0],
    [0n, [0n, 1n], 20_100, 0],
    [0n, [1n, 0n], 20_100, 19_900],
    [0n, [1n, 2n], 20_100, 0],
    [0n, [1n, 1n], 20_100, 0],
    [1n, [0n, 0n], 3_000, 4_800],
    [1n, [0n, 1n], 3_000, 2_800],
    [1n, [0n, 2n], 3_000, 0],
    [1n, [2n, 0n], 3_000, 4_800],
    [1n, [2n, 3n], 3_000, 0],
    [1n, [2n, 1n], 3_000, 2_800],
    [1n, [2n, 2n], 3_000, 0],
    [1n, [1n, 0n], 3_000, 4_800],
    [1n, [1n, 2n], 3_000, 0],
    [1n, [1n, 1n], 200, 0],
    [0n, [1n, 0n, 1n], 40_100, 19_900],
    [1n, [0n, 1n, 0n], 5_900, 7_600],
  ];
  for (const [original, writes, gas, refund] of table) {
    it(`charges ${gas} and refunds ${refund} for ${original} → ${writes.join(" → ")}`, () => {
      const journal = journalWith(original);
      journal.touchSlot(CONTRACT, SLOT);
      const total = { gas: 0, refund: 0 };
      for (const value of writes) {
        const cost = storeCost(journal, CONTRACT, SLOT, value);
        journal.setStorage(CONTRACT, SLOT, value);
        total.gas += cost.gas;
        total.refund += cost.refund;
      }
      deepEqual(total, { gas, refund });
    });
  }

  it("charges a cold slot 2 100 more", () => {
    equal(storeCost(journalWith(1n), CONTRACT, SLOT, 2n).gas, 2_900 + 2_100);
  });
});

describe("gas: calls and estimates", () => {
  function siteWith(script: Script): CallSite {
    const allocation = fundedAllocation(new Map([[CONTRACT, { balance: 0n, nonce: 1n, code: CODE }]]));
    const chain = new ExecutionChain(allocation, new ScriptedMachine().add(CODE, script));
    const { input } = chain;
    return {
      chainId: 4242n,
      header: input.parent,
      state: input.state,
      overrides: new Map(),
      machine: input.machine,
      ancestorHash: input.ancestorHash,
    };
  }
  const request: CallRequest = {
    from: accounts[0]!,
    to: CONTRACT,
    value: 0n,
    data: EMPTY_BYTES,
    accessList: [],
    gasPrice: undefined,
    maxFeePerGas: undefined,
    maxPriorityFeePerGas: undefined,
  };
  const spend =
    (gas: number): Script =>
    (frame) =>
      frame.gas < gas ? end("out of gas", 0) : end("success", frame.gas - gas);
  const cap = 30_000_000;

  it("runs a call for an account that does not exist and pays nothing", () => {
    const result = executeCall(siteWith(spend(5_000)), { ...request, from: CONTRACT }, cap);
    deepEqual([result.outcome, result.gasUsed], ["success", 26_000]);
  });

  it("refuses a call that cannot pay what it names, or has no gas to begin", () => {
    const site = siteWith(spend(0));
    throws(() => executeCall(site, { ...request, value: 101n * ETHER }, cap), {
      detail: { code: "INSUFFICIENT_FUNDS", balance: 100n * ETHER, required: 101n * ETHER },
    });
    throws(() => executeCall(site, { ...request, gasPrice: ETHER }, cap), {
      detail: { code: "INSUFFICIENT_FUNDS", balance: 100n * ETHER, required: BigInt(cap) * ETHER },
    });
    throws(() => executeCall(site, request, 20_999), {
      detail: { code: "INTRINSIC_GAS_TOO_LOW", gasLimit: 20_999n, required: 21_000n },
    });
  });

  it("answers a revert with its data and the gas it used", () => {
    const data = Uint8Array.of(8, 7);
    const result = executeCall(
      siteWith((frame) => end("revert", frame.gas - 10, data)),
      request,
      cap,
    );
    deepEqual([result.outcome, result.output, result.gasUsed], ["revert", data, 21_010]);
  });

  it("estimates exactly what suffices", () => {
    deepEqual(estimateGas(siteWith(spend(12_345)), request, cap), { gas: 33_345 });
    deepEqual(estimateGas(siteWith(spend(0)), { ...request, to: accounts[3]! }, cap), { gas: 21_000 });
  });

  it("finds that a sub-call needs more than is used, since the caller keeps a 64th", () => {
    // The contract calls itself; the inner call spends a million, the outer one nothing else.
    const site = siteWith((frame) => (frame.depth === 0 ? callItself(frame) : spend(1_000_000)(frame)));
    const estimate = estimateGas(site, request, cap);
    const gas = "gas" in estimate ? estimate.gas : 0;
    equal(executeCall(site, request, gas).gasUsed, 1_021_000);
    equal(gas - 21_000 - Math.floor((gas - 21_000) / 64), 1_000_000);
    equal(executeCall(site, request, gas - 1).outcome, "out of gas");
  });

  function callItself(frame: Frame) {
    const passed = allButOne64th(frame.gas);
    const { outcome, gasLeft } = executeMessage(frame.context, {
      ...frame,
      gas: passed,
      depth: frame.depth + 1,
      parent: frame,
    });
    return end(outcome, frame.gas - passed + gasLeft);
  }

  it("counts what a refund gives back only as needed until then", () => {
    const site = siteWith((frame) => {
      if (frame.gas < 50_000) return end("out of gas", 0);
      frame.context.journal.addRefund(4_800);
      return end("success", frame.gas - 50_000);
    });
    deepEqual(estimateGas(site, request, cap), { gas: 71_000 });
    equal(executeCall(site, request, 71_000).gasUsed, 71_000 - 4_800);
  });

  it("goes no higher than the sender can pay for", () => {
    const poor = { ...request, gasPrice: ETHER / 1_000n };
    const failed = estimateGas(siteWith(spend(90_000)), poor, cap);
    deepEqual("failed" in failed && [failed.failed.outcome, failed.failed.gasUsed], ["out of gas", 100_000]);
    throws(() => estimateGas(siteWith(spend(0)), { ...request, gasPrice: ETHER }, cap), {
      detail: { code: "INSUFFICIENT_FUNDS", balance: 100n * ETHER, required: 21_000n * ETHER },
    });
  });

  it("gives back why the call fails however much gas it has", () => {
    const site = siteWith((frame) => end("revert", frame.gas, Uint8Array.of(1)));
    const failed = estimateGas(site, request, cap);
    deepEqual("failed" in failed && failed.failed.outcome, "revert");
  });

  it("pays a price the sender names, and no more than the base fee and its tip ask", () => {
    const prices: bigint[] = [];
    const site = siteWith((frame) => {
      prices.push(frame.context.transaction.gasPrice);
      return end("success", frame.gas);
    });
    executeCall(site, request, cap);
    executeCall(site, { ...request, gasPrice: 3n * GWEI }, cap);
    executeCall(site, { ...request, maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: 1n }, cap);
    deepEqual(prices, [0n, 3n * GWEI, GWEI + 1n]);
  });
});
