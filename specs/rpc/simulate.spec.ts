/** Blocks of calls that build on each other. Prose: simulate.md. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { toHash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { accounts, GWEI } from "../support/execution-chain.ts";
import { BURNER, COUNTER, LOGGER, REVERTER } from "../support/live-chain.ts";
import { type Loose, withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const POOR = `0x${"cc".repeat(20)}`;
const NATIVE = `0x${"ee".repeat(20)}`;
const add = (input: string) => ({ from: ALICE, to: COUNTER, input });
const callsOf = (...calls: object[]) => ({ calls });
const topicOf = (address: string) => toHash(BigInt(address));

describe("eth_simulateV1", () => {
  it("runs calls and blocks on the state of those before them", async () => {
    await withRpc(async ({ ask, live }) => {
      const head = await live.mine();
      const blocks = await ask("eth_simulateV1", {
        blockStateCalls: [callsOf(add("0x02"), add("0x03")), {}, callsOf(add("0x04"))],
      });
      const outputs = blocks.map(({ calls }: Loose) => calls.map(({ returnData }: Loose) => returnData));
      deepEqual(outputs, [[toHash(2n), toHash(5n)], [], [toHash(9n)]]);
      const numbers = blocks.map(({ number, timestamp }: Loose) => [
        Number(number) - head.header.number,
        Number(timestamp) - head.header.timestamp,
      ]);
      deepEqual(numbers, [
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      deepEqual(
        blocks.map(({ parentHash }: Loose) => parentHash),
        [head.hash, blocks[0].hash, blocks[1].hash],
      );
      equal(
        Number(blocks[0].gasUsed),
        blocks[0].calls.reduce((sum: number, one: Loose) => sum + Number(one.gasUsed), 0),
      );
      equal(await ask("eth_getStorageAt", COUNTER, "0x0"), toHash(0n), "and leaves no trace");
    });
  });

  it("takes blocks and accounts as wished, and fills gaps between numbers", async () => {
    await withRpc(async ({ ask, live }) => {
      const { header } = live.view.head();
      const blockOverrides = {
        number: "0x3",
        time: `0x${(header.timestamp + 100).toString(16)}`,
        gasLimit: "0x100000",
        feeRecipient: BOB,
        prevRandao: "0x7",
        baseFeePerGas: "0x5",
        withdrawals: [{ index: "0x1", validatorIndex: "0x2", address: POOR, amount: "0x3" }],
      };
      const stateOverrides = {
        [COUNTER]: { stateDiff: { [toHash(0n)]: toHash(40n) } },
        [POOR]: { balance: "0x9" },
      };
      const [one, two, three, four] = await ask("eth_simulateV1", {
        blockStateCalls: [
          { blockOverrides, stateOverrides, ...callsOf(add("0x01")) },
          callsOf({ from: POOR, to: BOB, value: "0xb2d05e09" }, add("0x01")),
        ],
        returnFullTransactions: true,
      });
      deepEqual([one.number, two.number, three.number, four.number], ["0x1", "0x2", "0x3", "0x4"]);
      deepEqual([one.calls, one.miner], [[], header.feeRecipient]);
      const { miner, mixHash, gasLimit, baseFeePerGas, timestamp, withdrawals } = three;
      deepEqual(
        [miner, mixHash, gasLimit, baseFeePerGas, timestamp],
        [BOB, toHash(7n), "0x100000", "0x5", blockOverrides.time],
      );
      deepEqual(withdrawals, blockOverrides.withdrawals);
      equal(three.calls[0].returnData, toHash(41n));
      // The override's 9 wei and the withdrawal's 3 Gwei, less gas, which is free, are all there to send.
      deepEqual([four.calls[0].status, four.calls[1].returnData], ["0x1", toHash(42n)]);
      const { from, nonce, type, hash, blockHash } = four.transactions[0];
      deepEqual([from, nonce, type, blockHash], [POOR, "0x0", "0x2", four.hash]);
      notEqual(hash, four.transactions[1].hash);
    });
  });

  it("tells how each call ended, and goes on after a failing one", async () => {
    await withRpc(async ({ ask }) => {
      const [{ calls }] = await ask("eth_simulateV1", {
        blockStateCalls: [
          callsOf(
            { from: ALICE, to: REVERTER, input: "0x1234" },
            { from: ALICE, to: BURNER, gas: "0xffff" },
            { from: ALICE, to: LOGGER, input: "0x01" },
          ),
        ],
      });
      const [reverted, burnt, logged] = calls;
      deepEqual(reverted.error, { code: 3, message: "execution reverted", data: "0x1234" });
      deepEqual([reverted.status, reverted.returnData], ["0x0", "0x1234"]);
      deepEqual(burnt.error, { code: -32015, message: "vm execution error: out of gas" });
      equal(burnt.gasUsed, "0xffff");
      deepEqual([logged.status, logged.error, logged.logs.length], ["0x1", undefined, 1]);
      deepEqual(
        [logged.logs[0].address, logged.logs[0].transactionIndex, logged.logs[0].logIndex],
        [LOGGER, "0x2", "0x0"],
      );
    });
  });

  it("shows moved value as logs when asked to, without changing any receipt", async () => {
    await withRpc(async ({ ask }) => {
      const blockStateCalls = [
        callsOf(
          { from: ALICE, to: BOB, value: "0x5" },
          { from: ALICE, to: REVERTER, value: "0x5" },
          { from: ALICE, to: LOGGER, value: "0x6" },
        ),
      ];
      const [plain] = await ask("eth_simulateV1", { blockStateCalls });
      const [shown] = await ask("eth_simulateV1", { blockStateCalls, traceTransfers: true });
      const logs = shown.calls.map((call: Loose) =>
        call.logs.map(({ address, logIndex }: Loose) => [address, logIndex]),
      );
      deepEqual(logs, [
        [[NATIVE, "0x0"]],
        [],
        [
          [NATIVE, "0x1"],
          [LOGGER, "0x2"],
        ],
      ]);
      const { topics, data } = shown.calls[0].logs[0];
      deepEqual([topics.slice(1), data], [[topicOf(ALICE), topicOf(BOB)], toHash(5n)]);
      deepEqual([shown.hash, shown.receiptsRoot], [plain.hash, plain.receiptsRoot]);
    });
  });

  it("moves precompiles, and puts what is wished in their place", async () => {
    await withRpc(async ({ ask, refuse }) => {
      const [SHA256, IDENTITY] = [`0x${"02".padStart(40, "0")}`, `0x${"04".padStart(40, "0")}`];
      const call = (to: string) => ({ from: ALICE, to, input: "0xabcd" });
      const stateOverrides = { [SHA256]: { movePrecompileToAddress: POOR }, [IDENTITY]: { code: "0x" } };
      const [block, next] = await ask("eth_simulateV1", {
        blockStateCalls: [
          { stateOverrides, ...callsOf(call(POOR), call(SHA256), call(IDENTITY)) },
          callsOf(call(POOR)),
        ],
      });
      const digest = toHex(sha256(Uint8Array.of(0xab, 0xcd)));
      deepEqual(
        block.calls.map(({ returnData }: Loose) => returnData),
        [digest, "0x", "0x"],
      );
      equal(next.calls[0].returnData, digest);
      const refusal = async (overrides: object) => {
        const blockStateCalls = [{ stateOverrides: overrides }];
        return (await refuse("eth_simulateV1", { blockStateCalls })).code;
      };
      equal(await refusal({ [POOR]: { movePrecompileToAddress: BOB } }), -32000);
      equal(await refusal({ [SHA256]: { movePrecompileToAddress: SHA256 } }), -38022);
      const both = { movePrecompileToAddress: POOR };
      equal(await refusal({ [SHA256]: both, [IDENTITY]: both }), -38023);
      equal(await refusal({ [SHA256]: both, [POOR]: { balance: "0x1" } }), -32000);
    });
  });

  it("fails as a whole, with the specification's codes, when a call may not begin", async () => {
    await withRpc(async ({ refuse, ask, faults }) => {
      const transfer = { from: ALICE, to: BOB, maxFeePerGas: `0x${(5n * GWEI).toString(16)}`, gas: "0x5208" };
      const strict = (call: object) => ({
        blockStateCalls: [callsOf({ ...transfer, ...call })],
        validation: true,
      });
      const loose = (...calls: object[]) => ({ blockStateCalls: [callsOf(...calls)] });
      const order = (blockOverrides: object) => ({ blockStateCalls: [{}, { blockOverrides }] });
      const cases: readonly (readonly [object, number])[] = [
        [strict({ nonce: "0x1" }), -38011],
        [{ blockStateCalls: [callsOf(transfer, { ...transfer, nonce: "0x0" })], validation: true }, -38010],
        [strict({ maxFeePerGas: "0x1" }), -38012],
        [loose({ from: ALICE, to: BOB, gas: "0x5207" }), -38013],
        [loose({ from: POOR, to: BOB, value: "0x1" }), -38014],
        [strict({ from: POOR }), -38014],
        [loose({ from: ALICE, to: BOB, gas: "0x1c9c381" }), -38015],
        [loose({ from: ALICE, input: `0x${"00".repeat(98_305)}` }), -38025],
        [order({ number: "0x1" }), -38020],
        [order({ time: "0x1" }), -38021],
        [order({ number: "0x101" }), -38026],
        [{ blockStateCalls: [] }, -32602],
        [{}, -32602],
      ];
      for (const [payload, code] of cases) {
        const told = await refuse("eth_simulateV1", payload);
        equal(told.code, code, told.message);
      }
      equal((await ask("eth_simulateV1", strict({})))[0].calls[0].status, "0x1");
      equal((await ask("eth_simulateV1", loose({ ...transfer, nonce: "0x9" })))[0].calls[0].status, "0x1");
      deepEqual(await refuse("eth_simulateV1", order({}), "0x63"), {
        code: -32000,
        message: "header not found",
      });
      deepEqual(faults, []);
    });
  });

  it("charges and pays as a real block does when fees are given", async () => {
    await withRpc(async ({ ask }) => {
      const price = "0x2540be400";
      const payload = {
        blockStateCalls: [
          {
            blockOverrides: { feeRecipient: POOR },
            ...callsOf({ from: ALICE, to: BOB, gasPrice: price }, { from: POOR, to: BOB, value: "0x1" }),
          },
        ],
        validation: false,
      };
      const [{ calls, transactions }] = await ask("eth_simulateV1", {
        ...payload,
        returnFullTransactions: true,
      });
      deepEqual([calls[1].status, transactions[0].type, transactions[0].gasPrice], ["0x1", "0x0", price]);
    });
  });

  it("answers calls that end in every way, with whole transactions or their hashes", async () => {
    await withRpc(async ({ ask }) => {
      const calls = [
        add("0x01"),
        { from: ALICE, to: LOGGER, value: "0x1" },
        { from: ALICE, to: REVERTER },
        { from: ALICE, to: BURNER, gas: "0xffff" },
      ];
      for (const returnFullTransactions of [true, false]) {
        const blocks = await ask("eth_simulateV1", {
          blockStateCalls: [{ calls }, {}],
          returnFullTransactions,
        });
        equal(blocks.length, 2);
      }
    });
  });
});
