/** Senders recovered side by side. Prose: mempool.md#recovery. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import type { ReadTask, RecoverTask } from "../../node/execution/call-tasks.ts";
import { recoverSenders } from "../../node/execution/call-tasks.ts";
import { type RecoveryHelpers, SenderRecovery } from "../../node/execution/sender-recovery.ts";
import { signed } from "../support/execution-chain.ts";

/** Helpers that do what they are given, or fail, and tell what it was. */
function helpersWith({ count = 1, waiting = 0, fails = false } = {}) {
  const given: number[] = [];
  const run = async (task: ReadTask) => {
    const { raws } = task as RecoverTask;
    given.push(raws.length);
    if (fails) throw new Error("the call worker ended");
    return recoverSenders(raws);
  };
  const helpers = { run, count, waiting: () => waiting } as unknown as RecoveryHelpers;
  return { recovery: new SenderRecovery(helpers), given };
}

const transactions = Array.from({ length: 8 }, (_, nonce) => signed(nonce % 3, { nonce: BigInt(nonce) }));

describe("recovery of senders", () => {
  it("gives every helper as many as the thread keeps, and finds what it would alone, in order", async () => {
    for (const [count, shares] of [
      [1, [4]],
      [3, [2, 2, 2]],
    ] as const) {
      const { recovery, given } = helpersWith({ count });
      const order: number[] = [];
      const found = await Promise.all(
        transactions.map(async ({ raw }, index) => {
          const recovered = await recovery.recover(raw);
          order.push(index);
          return recovered;
        }),
      );
      deepEqual(found, transactions);
      deepEqual(given, shares);
      deepEqual(order, [...transactions.keys()]);
    }
  });

  it("asks nobody for one alone, nor while calls wait", async () => {
    const alone = helpersWith();
    deepEqual(await alone.recovery.recover(transactions[0]!.raw), transactions[0]);
    const busy = helpersWith({ waiting: 1 });
    const all = transactions.map(({ raw }) => busy.recovery.recover(raw));
    deepEqual(await Promise.all(all), transactions);
    deepEqual([...alone.given, ...busy.given], []);
  });

  it("needs no helper that lives", async () => {
    const { recovery, given } = helpersWith({ fails: true });
    deepEqual(await Promise.all(transactions.map(({ raw }) => recovery.recover(raw))), transactions);
    deepEqual(given, [4]);
  });

  it("refuses each bad one for its own reason, wherever it is recovered", async () => {
    const { recovery } = helpersWith();
    const damaged = transactions[0]!.raw.slice(0, -1);
    const raws = [damaged, transactions[1]!.raw, transactions[2]!.raw, Uint8Array.of(3, 1)];
    const [first, second, third, fourth] = raws.map((raw) => recovery.recover(raw));
    await rejects(first!, { name: "TransactionRejected" });
    equal((await second!).hash, transactions[1]!.hash);
    equal((await third!).hash, transactions[2]!.hash);
    await rejects(fourth!, { message: /transaction type not supported/ });
  });
});
