/** What wallets ask before and while they send: complete, warm up, wait. Prose: calls.md, methods.md#transactions. */
import { deepEqual, equal } from "node:assert/strict";
import { fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { decodeTransaction } from "../../vm/transaction-codec.ts";
import { accounts, feeRecipient, GWEI, signed } from "../support/execution-chain.ts";
import { BURNER, COUNTER, REVERTER } from "../support/live-chain.ts";
import { withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const SLOT_ZERO = toHash(0n);
const NOBODY = `0x${"cc".repeat(20)}`;

describe("eth_fillTransaction", () => {
  it("fills in nonce, gas, fees and chain id as a wallet would", async () => {
    await withRpc(async ({ ask, live }) => {
      await ask("eth_sendRawTransaction", toHex(signed(0, { nonce: 0n }).raw));
      const { raw, tx } = await ask("eth_fillTransaction", { from: ALICE, to: BOB, value: "0x7" });
      const fee = 2n * live.view.nextBaseFee() + GWEI;
      deepEqual(decodeTransaction(fromHex(raw)), {
        type: 2,
        chainId: 4242n,
        nonce: 1n,
        maxFeePerGas: fee,
        maxPriorityFeePerGas: GWEI,
        gasLimit: 21_000n,
        to: BOB,
        value: 7n,
        data: new Uint8Array(0),
        accessList: [],
        yParity: 0,
        r: 0n,
        s: 0n,
      });
      const filled = [tx.from, tx.nonce, tx.gas, tx.type, BigInt(tx.maxFeePerGas), tx.blockHash, tx.hash];
      deepEqual(filled, [ALICE, "0x1", "0x5208", "0x2", fee, null, keccak256Hex(fromHex(raw))]);
    });
  });

  it("keeps what is given, and takes the type from the fields", async () => {
    await withRpc(async ({ ask }) => {
      const given = { from: ALICE, to: BOB, gas: "0xffff", nonce: "0x9" };
      const fill = async (more: object) => (await ask("eth_fillTransaction", { ...given, ...more })).tx;
      const list = [{ address: BOB, storageKeys: [SLOT_ZERO] }];
      const legacy = await fill({ gasPrice: "0x77359400" });
      deepEqual(
        [legacy.type, legacy.gas, legacy.nonce, legacy.gasPrice],
        ["0x0", "0xffff", "0x9", "0x77359400"],
      );
      const one = await fill({ gasPrice: "0x77359400", accessList: list });
      deepEqual([one.type, one.accessList], ["0x1", list]);
      const two = await fill({ maxFeePerGas: "0x77359400", maxPriorityFeePerGas: "0x1" });
      deepEqual([two.type, two.maxFeePerGas, two.maxPriorityFeePerGas], ["0x2", "0x77359400", "0x1"]);
      const capped = await fill({ maxFeePerGas: "0x5" });
      deepEqual([capped.maxFeePerGas, capped.maxPriorityFeePerGas], ["0x5", "0x5"]);
    });
  });

  it("refuses what no transaction could be", async () => {
    await withRpc(async ({ refuse, faults }) => {
      const told = async (call: object) => {
        const { code, message } = await refuse("eth_fillTransaction", call);
        return [code, message.split(": balance")[0]];
      };
      deepEqual(await told({ from: ALICE }), [-32602, "contract creation without any data provided"]);
      deepEqual(await told({ from: ALICE, to: REVERTER }), [3, "execution reverted"]);
      deepEqual(await told({ from: NOBODY, to: BOB, value: "0x1" }), [
        -32000,
        "insufficient funds for gas * price + value",
      ]);
      deepEqual(await told({ from: ALICE, to: BOB, chainId: "0x1" }), [
        -32602,
        "chainId does not match node's (have=1, want=4242)",
      ]);
      deepEqual(faults, []);
    });
  });
});

describe("eth_createAccessList", () => {
  const touched = (address: string) => [{ address, storageKeys: [SLOT_ZERO] }];

  it("lists what the call touches, without what is warm anyway", async () => {
    await withRpc(async ({ ask, live }) => {
      await live.mine();
      const call = { from: ALICE, to: COUNTER, input: "0x01" };
      const made = await ask("eth_createAccessList", call);
      // 16 for the byte, 2 400 and 1 900 for the list, 5 000 for the counter.
      deepEqual(made, { accessList: touched(COUNTER), gasUsed: "0x766c" });
      equal(Number(made.gasUsed), 21_000 + 16 + 2_400 + 1_900 + 5_000);
      deepEqual(await ask("eth_createAccessList", { from: ALICE, to: BOB }), {
        accessList: [],
        gasUsed: "0x5208",
      });
      const wished = [{ address: feeRecipient, storageKeys: [] }, ...touched(BOB)];
      const withWish = await ask("eth_createAccessList", { ...call, accessList: wished });
      deepEqual(
        new Set(withWish.accessList.map(({ address }: { address: string }) => address)),
        new Set([BOB, COUNTER]),
      );
    });
  });

  it("lists also what a failing call touched, and says why it failed", async () => {
    await withRpc(async ({ ask }) => {
      const reverted = await ask("eth_createAccessList", { from: ALICE, to: REVERTER });
      deepEqual([reverted.accessList, reverted.error], [touched(REVERTER), "execution reverted"]);
      const burnt = await ask("eth_createAccessList", { from: ALICE, to: BURNER, gas: "0xc350" });
      deepEqual(burnt, { accessList: [], gasUsed: "0xc350", error: "out of gas" });
    });
  });

  it("is an error when the call may not even begin", async () => {
    await withRpc(async ({ refuse, faults }) => {
      const { code, message } = await refuse("eth_createAccessList", { from: ALICE, to: BOB, gas: "0x5207" });
      deepEqual([code, message.split(":")[0]], [-32000, "intrinsic gas too low"]);
      deepEqual(faults, []);
    });
  });

  it("takes every kind of call, and so does eth_fillTransaction", async () => {
    await withRpc(async ({ ask, faults }) => {
      const calls = [
        { from: ALICE, to: COUNTER, input: "0x01" },
        { from: ALICE, to: COUNTER, gasPrice: "0x77359400" },
        { from: ALICE, to: COUNTER, gasPrice: "0x77359400", accessList: touched(COUNTER) },
      ];
      for (const call of calls) {
        for (const name of ["eth_createAccessList", "eth_fillTransaction"]) await ask(name, call);
      }
      deepEqual(faults, []);
    });
  });
});

describe("eth_sendRawTransactionSync", () => {
  const { raw, hash } = signed(0, { to: BOB, value: 1n });

  it("answers the receipt as soon as a block holds the transaction", async () => {
    await withRpc(async ({ ask, live, timers }) => {
      const waiting = ask("eth_sendRawTransactionSync", toHex(raw));
      await Promise.resolve();
      deepEqual(
        timers.map(({ delayMs }) => delayMs),
        [20_000],
      );
      await live.mine();
      deepEqual(await waiting, await ask("eth_getTransactionReceipt", hash));
      deepEqual(timers, []);
    });
  });

  it("gives up in time with error 4 and the hash, and the transaction goes on waiting", async () => {
    await withRpc(async ({ answer, ask, timers }) => {
      const waiting = answer("eth_sendRawTransactionSync", toHex(raw), 1500);
      await Promise.resolve();
      equal(timers[0]?.delayMs, 1500);
      timers[0]?.fire();
      deepEqual((await waiting).error, {
        code: 4,
        message: "The transaction was added to the transaction pool but wasn't processed in 1.5s",
        data: hash,
      });
      equal((await ask("eth_getTransactionByHash", hash)).hash, hash);
      const longer = answer("eth_sendRawTransactionSync", toHex(signed(1).raw), "0xfffff");
      await Promise.resolve();
      equal(timers[0]?.delayMs, 60_000);
      timers[0]?.fire();
      equal((await longer).error?.code, 4);
    });
  });

  it("refuses at once what the pool refuses, and what is too many", async () => {
    await withRpc(
      async ({ answer, refuse, timers, faults }) => {
        const rejected = await refuse("eth_sendRawTransactionSync", "0x03c0");
        deepEqual(
          [rejected.code, rejected.message.split(":")[0]],
          [-32000, "transaction type not supported"],
        );
        deepEqual([...timers], []);
        const waiting = answer("eth_sendRawTransactionSync", toHex(raw));
        await Promise.resolve();
        deepEqual(await refuse("eth_sendRawTransactionSync", toHex(signed(1).raw)), {
          code: -32005,
          message: "too many requests wait for receipts",
        });
        timers[0]?.fire();
        await waiting;
        deepEqual(faults, []);
      },
      { receiptWaits: 1 },
    );
  });
});
