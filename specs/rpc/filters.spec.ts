/** Filters that are polled. Prose: filters.md. */
import { deepEqual, equal } from "node:assert/strict";
import { toHex } from "../../primitives/bytes.ts";
import { signed } from "../support/execution-chain.ts";
import { LOGGER } from "../support/live-chain.ts";
import { withRpc } from "./rpc-fixture.ts";

const logging = (nonce: bigint) => signed(0, { nonce, to: LOGGER, gasLimit: 100_000n });
const GONE = { code: -32000, message: "filter not found" };

describe("rpc filters", () => {
  it("collect blocks, pending transactions and logs from when they were made", async () => {
    await withRpc(async ({ live, ask }) => {
      await live.mine();
      const [blocks, pending, logs] = [
        await ask("eth_newBlockFilter"),
        await ask("eth_newPendingTransactionFilter"),
        await ask("eth_newFilter", { address: LOGGER }),
      ];
      const transaction = logging(0n);
      await ask("eth_sendRawTransaction", toHex(transaction.raw));
      const block = await live.mine();
      deepEqual(await ask("eth_getFilterChanges", blocks), [block.hash]);
      deepEqual(await ask("eth_getFilterChanges", blocks), []);
      deepEqual(await ask("eth_getFilterChanges", pending), [transaction.hash]);
      const changes = await ask("eth_getFilterChanges", logs);
      deepEqual(
        changes.map((log: { transactionHash: string }) => log.transactionHash),
        [transaction.hash],
      );
      deepEqual(await ask("eth_getFilterChanges", logs), []);
    });
  });

  it("give logs of abandoned blocks again as removed, before the new ones", async () => {
    await withRpc(async ({ live, ask }) => {
      const genesis = live.view.head();
      const filter = await ask("eth_newFilter", {});
      await ask("eth_sendRawTransaction", toHex(logging(0n).raw));
      const first = await live.mine();
      // The transaction is out of the pool, so the sibling is built by a reorganisation to an empty one first.
      const empty = await live.build(genesis, { timestamp: genesis.header.timestamp + 2 });
      live.setHead(empty);
      const second = await live.mine();
      const changes = await ask("eth_getFilterChanges", filter);
      deepEqual(
        changes.map((log: { blockHash: string; removed: boolean }) => [log.blockHash, log.removed]),
        [
          [first.hash, false],
          [first.hash, true],
          [second.hash, false],
        ],
      );
    });
  });

  it("answer getFilterLogs with the whole range, and refuse it for other kinds", async () => {
    await withRpc(async ({ live, ask, refuse }) => {
      await ask("eth_sendRawTransaction", toHex(logging(0n).raw));
      await live.mine();
      const filter = await ask("eth_newFilter", { fromBlock: "0x0", toBlock: "latest" });
      equal((await ask("eth_getFilterLogs", filter)).length, 1);
      deepEqual(await refuse("eth_getFilterLogs", await ask("eth_newBlockFilter")), GONE);
      deepEqual(await refuse("eth_newFilter", { fromBlock: "0x5", toBlock: "0x1" }), {
        code: -32602,
        message: "invalid block range params",
      });
    });
  });

  it("are forgotten when removed, when idle for five minutes, and when they overflow", async () => {
    await withRpc(
      async ({ live, clock, ask, refuse }) => {
        const removed = await ask("eth_newBlockFilter");
        equal(await ask("eth_uninstallFilter", removed), true);
        equal(await ask("eth_uninstallFilter", removed), false);
        deepEqual(await refuse("eth_getFilterChanges", removed), GONE);

        const idle = await ask("eth_newBlockFilter");
        clock.now = 300_000;
        deepEqual(await ask("eth_getFilterChanges", idle), []);
        clock.now = 600_001;
        deepEqual(await refuse("eth_getFilterChanges", idle), GONE);

        const full = await ask("eth_newBlockFilter");
        for (let i = 0; i < 3; i++) await live.mine();
        deepEqual(await refuse("eth_getFilterChanges", full), GONE);
      },
      { filterEntries: 2 },
    );
  });

  it("are bounded in number", async () => {
    await withRpc(
      async ({ ask, refuse }) => {
        for (let i = 0; i < 2; i++) await ask("eth_newBlockFilter");
        deepEqual(await refuse("eth_newBlockFilter"), { code: -32005, message: "too many filters" });
      },
      { filters: 2 },
    );
  });
});
