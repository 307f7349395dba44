/** Many subscribers at once, and what is left when they are gone. Prose: subscriptions.md#under-load. */
import { deepEqual, equal } from "node:assert/strict";
import { signed } from "../support/execution-chain.ts";
import { LOGGER } from "../support/live-chain.ts";
import { SocketClient, withServer } from "./server-fixture.ts";

const CLIENTS = 40;
const BLOCKS = 5;

describe("many subscribers", function () {
  this.timeout(60_000);

  it("hear every head and log in order; one that does not read is closed; nothing is left of those that leave", async () => {
    await withServer(
      async ({ server, webSocketUrl, live }) => {
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, async () => {
            const client = await SocketClient.open(webSocketUrl);
            await client.request("eth_subscribe", "newHeads");
            await client.request("eth_subscribe", "logs", { address: LOGGER });
            return client;
          }),
        );
        const slow = await SocketClient.open(webSocketUrl);
        await slow.request("eth_subscribe", "newHeads");
        equal(server.subscriptions(), 2 * CLIENTS + 1);
        slow.pause();

        const expected: unknown[] = [];
        for (let nonce = 0n; nonce < BLOCKS; nonce++) {
          const { raw, hash } = signed(0, { nonce, to: LOGGER, gasLimit: 100_000n });
          live.pool.submit(raw);
          expected.push((await live.mine()).hash, hash);
        }
        for (const client of clients) {
          const heard: unknown[] = [];
          while (heard.length < expected.length) {
            const { result } = (await client.next()).params;
            heard.push(result.transactionHash ?? result.hash);
          }
          deepEqual(heard, expected);
        }

        // What it asks for fills what the kernel holds for it, and then our limit.
        const block = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["0x0", true] };
        const batch = JSON.stringify(Array.from({ length: 900 }, () => block));
        while (server.webSocketConnections() > CLIENTS) {
          slow.send(batch);
          await clients[0]?.request("eth_chainId");
        }
        equal(server.subscriptions(), 2 * CLIENTS);

        for (const client of clients) client.close();
        await Promise.all(clients.map(({ closed }) => closed));
        while (server.webSocketConnections() > 0) await new Promise((resolve) => setImmediate(resolve));
        deepEqual([server.subscriptions(), server.unsentBytes()], [0, 0]);
      },
      { socketBufferBytes: 100_000 },
    );
  });
});
