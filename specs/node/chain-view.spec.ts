/** The node's answer to rpc's port, and the pool around it. Prose: specs/rpc/chain-view.md, mempool.md. */
import { deepEqual, equal } from "node:assert/strict";
import { ZERO_HASH } from "../../primitives/bytes.ts";
import type { HeadChange } from "../../rpc/chain-view.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { LiveChain } from "../support/live-chain.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

async function withLive(body: (live: LiveChain) => Promise<void>): Promise<void> {
  await withScratchDatabase("execution", async (database) => {
    const live = new LiveChain(database);
    await body(live);
    await live.stop();
  });
}

const transfer = (nonce: number) => signed(0, { nonce: BigInt(nonce), to: accounts[1]!, value: 1n });

describe("chain view", () => {
  it("tells the pool's state together with the head's: mined transactions are no longer pending", async () => {
    await withLive(async (live) => {
      const seen: unknown[] = [];
      const pending: RecoveredTransaction[] = [];
      const end = live.view.subscribe({
        onHead: ({ added }: HeadChange) =>
          seen.push([added[0]?.header.number, live.view.poolStatus(), live.view.pendingNonce(accounts[0]!)]),
        onPendingTransaction: (transaction) => pending.push(transaction),
      });
      for (const nonce of [0, 1, 5]) live.pool.submit(transfer(nonce).raw);
      deepEqual(live.view.poolStatus(), { pending: 2, queued: 1 });
      equal(live.view.pendingNonce(accounts[0]!), 2n);
      await live.mine();
      deepEqual(seen, [[1, { pending: 0, queued: 1 }, 2n]]);
      deepEqual(
        pending.map(({ transaction }) => transaction.nonce),
        [0n, 1n],
      );
      end();
      await live.mine();
      equal(seen.length, 1);
    });
  });

  it("finds a transaction in the pool, in its block, and in the pool again when the block is abandoned", async () => {
    await withLive(async (live) => {
      const genesis = live.view.head();
      const { hash, raw } = transfer(0);
      const placeOf = () => live.view.transaction(hash)?.block?.hash;
      equal(live.view.transaction(hash), undefined);
      live.pool.submit(raw);
      deepEqual([live.view.transaction(hash)?.transaction.hash, placeOf()], [hash, undefined]);
      const first = await live.mine();
      equal(placeOf(), first.hash);
      equal(live.view.receipts(first.hash)?.length, 1);
      live.setHead(await live.build(genesis, { timestamp: genesis.header.timestamp + 2 }));
      deepEqual([live.view.transaction(hash)?.transaction.hash, placeOf()], [hash, undefined]);
      equal(live.view.isCanonical(first.hash), false);
      const second = await live.mine();
      equal(placeOf(), second.hash);
    });
  });

  it("knows no state, block or proof of what was never there", async () => {
    await withLive(async (live) => {
      equal(live.view.block({ number: 9 }), undefined);
      equal(live.view.block({ hash: ZERO_HASH }), undefined);
      equal(live.view.stateAt(ZERO_HASH), undefined);
      equal(live.view.proof(ZERO_HASH, accounts[0]!, []), undefined);
      equal(live.view.receipts(ZERO_HASH), undefined);
    });
  });

  it("keeps our users' transactions across a restart", async () => {
    await withScratchDatabase("execution", async (database) => {
      const before = new LiveChain(database);
      const [mined, waiting] = [transfer(0), transfer(1)];
      before.pool.submit(mined.raw);
      await before.mine();
      before.pool.submit(waiting.raw);
      const gossiped = signed(2, { to: accounts[1]! });
      deepEqual(await before.pool.addGossiped({ peer: "a", raws: [gossiped.raw] }), ["accept"]);
      await before.stop();

      const after = new LiveChain(database);
      deepEqual(
        after.view.pendingTransactions().map(({ hash }) => hash),
        [waiting.hash],
      );
      equal(after.view.head().header.number, 1);
      await after.stop();
    });
  });

  it("gossips what our users send, once, and nothing that peers sent", async () => {
    await withLive(async (live) => {
      const [zero, one] = [transfer(0), transfer(1)];
      live.pool.submit(one.raw);
      deepEqual(live.published, [one.raw]);
      live.pool.submit(zero.raw);
      deepEqual(live.published, [one.raw, zero.raw]);
      await live.pool.addGossiped({ peer: "a", raws: [signed(2, {}).raw] });
      equal(live.published.length, 2);
    });
  });
});
