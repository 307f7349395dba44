/** HTTP and WebSocket on one port, whatever comes in. Prose: server.md, limits.md. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { toHex } from "../../primitives/bytes.ts";
import { LATEST } from "../../rpc/block-parameter.ts";
import { callNode } from "../../rpc/client.ts";
import { getBalance } from "../../rpc/methods/accounts.ts";
import { getTransactionCountByHash } from "../../rpc/methods/blocks.ts";
import { chainId } from "../../rpc/methods/network.ts";
import { computeReadiness } from "../../rpc/readiness.ts";
import { accounts, ETHER, signed } from "../support/execution-chain.ts";
import { LOGGER } from "../support/live-chain.ts";
import { SocketClient, withServer } from "./server-fixture.ts";

const JSON_HEADERS = { "content-type": "application/json" };
const chainIdRequest = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId" });
const post = (url: string, body: string, headers: Record<string, string> = JSON_HEADERS) =>
  fetch(url, { method: "POST", headers, body });

/** fetch does not let a caller choose the Host header, or see compressed bytes. */
function rawPost(url: string, headers: Record<string, string>, body: string) {
  return new Promise<{ status: number | undefined; headers: object; body: Buffer }>((resolve, reject) => {
    const sent = httpRequest(
      url,
      { method: "POST", headers: { ...JSON_HEADERS, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("rpc server over HTTP", () => {
  it("answers requests and batches", async () => {
    await withServer(async ({ url }) => {
      const response = await post(url, chainIdRequest);
      equal(response.status, 200);
      equal(response.headers.get("content-type"), "application/json");
      deepEqual(await response.json(), { jsonrpc: "2.0", id: 1, result: "0x1092" });
      const batch = await post(url, `[${chainIdRequest},1]`, {
        "content-type": "application/json; charset=utf-8",
      });
      equal(((await batch.json()) as unknown[]).length, 2);
    });
  });

  it("answers what is not JSON with a parse error, and notifications with no content", async () => {
    await withServer(async ({ url }) => {
      const bad = await post(url, "{nope");
      deepEqual(
        [bad.status, await bad.json()],
        [200, { jsonrpc: "2.0", id: null, error: { code: -32700, message: "parse error" } }],
      );
      equal((await post(url, JSON.stringify({ jsonrpc: "2.0", method: "eth_chainId" }))).status, 204);
    });
  });

  it("refuses bodies that are too large with 413, whether announced or not", async () => {
    await withServer(
      async ({ url }) => {
        equal((await post(url, " ".repeat(1000))).status, 200);
        equal((await post(url, " ".repeat(1001))).status, 413);
        const unannounced = await rawPost(url, { "transfer-encoding": "chunked" }, " ".repeat(1001));
        equal(unannounced.status, 413);
        equal((await rawPost(url, { "transfer-encoding": "chunked" }, " ".repeat(9000))).status, 413);
      },
      { bodyBytes: 1000 },
    );
  });

  it("refuses other content types with 415, other methods with 405, other paths with 404", async () => {
    await withServer(async ({ url }) => {
      equal((await post(url, chainIdRequest, { "content-type": "text/plain" })).status, 415);
      equal((await fetch(url, { method: "PUT", body: "x" })).status, 405);
      equal((await fetch(`${url}/nothing`)).status, 404);
      match(await (await fetch(url)).text(), /^jurat\/spec/);
    });
  });

  it("refuses host names it was not given, so that no page can re-bind its name to us", async () => {
    await withServer(async ({ url, webSocketUrl }) => {
      equal((await rawPost(url, { host: "evil.example" }, chainIdRequest)).status, 403);
      for (const host of ["localhost:8545", "LOCALHOST", "127.0.0.1", "[::1]:8545"]) {
        equal((await rawPost(url, { host }, chainIdRequest)).status, 200, host);
      }
      await rejects(SocketClient.open(webSocketUrl, { host: "evil.example" }), /status 403/);
    });
  });

  it("lets pages of any origin read, and answers their preflight requests", async () => {
    await withServer(async ({ url }) => {
      const preflight = await fetch(url, { method: "OPTIONS", headers: { origin: "https://app.example" } });
      deepEqual(
        [
          preflight.status,
          preflight.headers.get("access-control-allow-origin"),
          preflight.headers.get("access-control-allow-headers"),
        ],
        [204, "*", "content-type"],
      );
      equal((await post(url, chainIdRequest)).headers.get("access-control-allow-origin"), "*");
    });
  });

  it("compresses long answers for those who can read them", async () => {
    await withServer(async ({ url }) => {
      const block = JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "eth_getBlockByNumber",
        params: ["latest", false],
      });
      const packed = await rawPost(url, { "accept-encoding": "gzip, br" }, block);
      const plain = await rawPost(url, {}, block);
      equal((packed.headers as { "content-encoding"?: string })["content-encoding"], "gzip");
      deepEqual(gunzipSync(packed.body), plain.body);
      equal(packed.body.length < plain.body.length, true);
    });
  });

  it("tells whether it lives and whether it is ready", async () => {
    await withServer(async ({ url, live }) => {
      deepEqual(await (await fetch(`${url}/health`)).json(), { status: "ok" });
      equal((await fetch(`${url}/ready`)).status, 200);
      live.view.setConsensusStatus({ ...live.view.consensusStatus(), syncTargetSlot: 9, peers: 3 });
      const syncing = await fetch(`${url}/ready`);
      deepEqual(
        [syncing.status, await syncing.json()],
        [503, { ready: false, synced: false, peers: 3, finalityLagSlots: 0 }],
      );
      const lagging = { ...live.view.consensusStatus(), syncTargetSlot: undefined, finalityLagSlots: 64 };
      equal(computeReadiness(lagging, { readyLagSlots: 64 }).ready, false);
      equal(computeReadiness(lagging, { readyLagSlots: 65 }).ready, true);
    });
  });

  it("survives bytes that are not HTTP and clients that go away", async () => {
    await withServer(async ({ server, url, faults }) => {
      for (const bytes of ["\u0000\u0001garbage\r\n\r\n", "POST / HTTP/1.1\r\ncontent-length: 99\r\n"]) {
        await new Promise<void>((resolve) => {
          const socket = connect(server.port, "127.0.0.1", () => socket.end(bytes));
          socket.on("close", () => resolve());
          socket.on("error", () => undefined);
          socket.resume();
        });
      }
      equal((await post(url, chainIdRequest)).status, 200);
      deepEqual(faults, []);
    });
  });

  it("says so when the port is taken", async () => {
    await withServer(async ({ server, live }) => {
      const { startRpcServer } = await import("../../rpc/server.ts");
      const again = startRpcServer({
        chain: live.view,
        methods: [],
        limits: (await import("../../rpc/rpc-limits.ts")).DEFAULT_RPC_LIMITS,
        host: "127.0.0.1",
        port: server.port,
        virtualHosts: [],
        corsOrigins: [],
        pages: new Map(),
        now: () => 0,
        setTimer: () => () => undefined,
        processUsage: () => ({ residentBytes: 0, cpuMs: 0 }),
        onFault: () => undefined,
      });
      await rejects(again, { code: "EADDRINUSE" });
    });
  });
});

describe("rpc client", () => {
  it("speaks to the server with the methods' own schemas", async () => {
    await withServer(async ({ url, live }) => {
      equal(await callNode(url, chainId, {}), 4242);
      const params = { address: accounts[0]!, block: LATEST };
      equal(await callNode(url, getBalance, params), 100n * ETHER);
      const block = await live.mine();
      equal(await callNode(url, getTransactionCountByHash, { hash: block.hash }), 0);
      await rejects(callNode(url, getBalance, { ...params, block: { number: 9 } }), {
        code: -32000,
        message: "eth_getBalance: header not found",
      });
    });
  });
});

describe("rpc server over WebSocket", () => {
  it("answers requests, batches and nonsense", async () => {
    await withServer(async ({ webSocketUrl }) => {
      const client = await SocketClient.open(webSocketUrl);
      deepEqual(await client.request("eth_chainId"), { jsonrpc: "2.0", id: "eth_chainId", result: "0x1092" });
      client.send("nope");
      equal((await client.next()).error.code, -32700);
      client.send(`[${chainIdRequest},${chainIdRequest}]`);
      equal((await client.next()).length, 2);
    });
  });

  it("closes connections that send too much, and takes no more than the limit", async () => {
    await withServer(
      async ({ webSocketUrl }) => {
        const client = await SocketClient.open(webSocketUrl);
        await rejects(SocketClient.open(webSocketUrl), /status 503/);
        client.send(" ".repeat(1001));
        equal(await client.closed, 1009);
      },
      { bodyBytes: 1000, webSocketConnections: 1 },
    );
  });

  it("works on many requests of one connection at once, and answers all", async () => {
    await withServer(
      async ({ webSocketUrl }) => {
        const client = await SocketClient.open(webSocketUrl);
        const call = (id: number) =>
          JSON.stringify({ jsonrpc: "2.0", id, method: "eth_call", params: [{ to: LOGGER }] });
        for (let id = 0; id < 50; id++) client.send(call(id));
        const ids = new Set<number>();
        for (let i = 0; i < 50; i++) ids.add((await client.next()).id as number);
        equal(ids.size, 50);
      },
      { requestsPerConnection: 4 },
    );
  });

  it("cuts a reader that does not keep up, and serves the others on", async () => {
    await withServer(
      async ({ server, webSocketUrl }) => {
        const slow = await SocketClient.open(webSocketUrl);
        const quick = await SocketClient.open(webSocketUrl);
        slow.pause();
        // Nobody reads the answers: they fill what the kernel holds for the connection, then our limit.
        const block = JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "eth_getBlockByNumber",
          params: ["0x0", true],
        });
        const batch = `[${Array.from({ length: 900 }, () => block).join(",")}]`;
        while (server.webSocketConnections() > 1) {
          slow.send(batch);
          equal((await quick.request("eth_blockNumber")).result, "0x0");
        }
        slow.resume();
        equal(await slow.closed, 1006);
        equal((await quick.request("eth_blockNumber")).result, "0x0");
      },
      { socketBufferBytes: 100_000 },
    );
  });
});

describe("rpc subscriptions", () => {
  const logging = (nonce: bigint) => signed(0, { nonce, to: LOGGER, gasLimit: 100_000n });

  it("send new heads, logs, and pending transactions as hashes or whole", async () => {
    await withServer(async ({ webSocketUrl, live }) => {
      const open = async (...params: unknown[]) => {
        const client = await SocketClient.open(webSocketUrl);
        const { result } = await client.request("eth_subscribe", ...params);
        const read = async () => {
          const { method, params: sent } = await client.next();
          deepEqual([method, sent.subscription], ["eth_subscription", result]);
          return sent.result;
        };
        return { read, client, id: result as string };
      };
      const heads = await open("newHeads");
      const logs = await open("logs", { address: LOGGER });
      const hashes = await open("newPendingTransactions");
      const whole = await open("newPendingTransactions", true);
      const transaction = logging(0n);
      await heads.client.request("eth_sendRawTransaction", toHex(transaction.raw));
      const block = await live.mine();
      const head = await heads.read();
      deepEqual([head.hash, head.number, head.transactions], [block.hash, "0x1", undefined]);
      equal((await logs.read()).transactionHash, transaction.hash);
      equal(await hashes.read(), transaction.hash);
      equal((await whole.read()).hash, transaction.hash);

      equal((await heads.client.request("eth_unsubscribe", heads.id)).result, true);
      deepEqual((await heads.client.request("eth_unsubscribe", heads.id)).error, {
        code: -32000,
        message: "subscription not found",
      });
      await live.mine();
      equal((await heads.client.request("eth_blockNumber")).result, "0x2");
    });
  });

  it("send logs of abandoned blocks again as removed, then the new ones", async () => {
    await withServer(async ({ webSocketUrl, live }) => {
      const client = await SocketClient.open(webSocketUrl);
      const genesis = live.view.head();
      await client.request("eth_sendRawTransaction", toHex(logging(0n).raw));
      await client.request("eth_subscribe", "logs", {});
      const first = await live.mine();
      live.setHead(await live.build(genesis, { timestamp: genesis.header.timestamp + 2 }));
      const second = await live.mine();
      const seen = [];
      for (let i = 0; i < 3; i++) {
        const { blockHash, removed } = (await client.next()).params.result;
        seen.push([blockHash, removed]);
      }
      deepEqual(seen, [
        [first.hash, false],
        [first.hash, true],
        [second.hash, false],
      ]);
    });
  });

  it("tell when syncing begins and ends", async () => {
    await withServer(async ({ webSocketUrl, live }) => {
      const client = await SocketClient.open(webSocketUrl);
      await client.request("eth_subscribe", "syncing");
      const status = live.view.consensusStatus();
      live.view.setConsensusStatus({ ...status, syncTargetSlot: 10 });
      await live.mine();
      const begun = (await client.next()).params.result;
      deepEqual([begun.syncing, begun.status.highestBlock], [true, "0xb"]);
      live.view.setConsensusStatus(status);
      await live.mine();
      equal((await client.next()).params.result, false);
    });
  });

  it("tell the identifier before the first notification", async () => {
    await withServer(async ({ webSocketUrl }) => {
      const client = await SocketClient.open(webSocketUrl);
      // Both in one text: the transaction is announced while the answer to the batch is being made.
      client.send(
        JSON.stringify([
          { jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newPendingTransactions"] },
          { jsonrpc: "2.0", id: 2, method: "eth_sendRawTransaction", params: [toHex(logging(0n).raw)] },
        ]),
      );
      const [{ result }] = await client.next();
      equal((await client.next()).params.subscription, result);
    });
  });

  it("are refused over HTTP, for unknown kinds, and beyond their limit", async () => {
    await withServer(
      async ({ url, webSocketUrl }) => {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] });
        deepEqual(((await (await post(url, body)).json()) as { error: object }).error, {
          code: -32601,
          message: "notifications not supported",
        });
        const client = await SocketClient.open(webSocketUrl);
        deepEqual((await client.request("eth_subscribe", "weather")).error, {
          code: -32602,
          message: 'no "weather" subscription in eth namespace',
        });
        equal(typeof (await client.request("eth_subscribe", "newHeads")).result, "string");
        deepEqual((await client.request("eth_subscribe", "newHeads")).error, {
          code: -32005,
          message: "too many subscriptions",
        });
      },
      { subscriptionsPerConnection: 1 },
    );
  });
});
