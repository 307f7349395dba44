#!/usr/bin/env node
/**
 * npm run bench:subscriptions: 200 WebSocket clients on newHeads and logs, blocks of one second, a reader
 * that does not read; the heap after `--minutes` (10) against the heap after the first tenth of them.
 */
import "../node/polyfill.ts";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeDeployData, encodeFunctionData } from "viem";
import { startDevNode } from "../node/dev/dev-node.ts";
import { createBenchClient } from "./bench-client.ts";
import { ACCOUNTS } from "./signed-calls.ts";
import { buildToken } from "./token-artifact.ts";

const CLIENTS = 200;
const TRANSFER_EVERY_MS = 500;
const LIMIT = 1.1;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
const collectGarbage = globalThis.gc;
if (collectGarbage === undefined)
  throw new Error("run it with --expose-gc, as npm run bench:subscriptions does");
if (!(minutes > 0)) throw new Error("--minutes takes a positive number");

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Bytes that are still used after a forced collection. */
function heapBytes(): number {
  collectGarbage?.();
  return process.memoryUsage().heapUsed;
}

async function deploy(call: (method: string, params: readonly unknown[]) => Promise<unknown>) {
  const { abi, bytecode } = await buildToken();
  const from = ACCOUNTS[0]?.address;
  const creation = encodeDeployData({ abi, bytecode, args: ["Token", "TKN", 10n ** 24n] });
  const hash = await call("eth_sendTransaction", [{ from, data: creation, gas: "0x1312d00" }]);
  const { contractAddress: to } = (await call("eth_getTransactionReceipt", [hash])) as {
    contractAddress: string;
  };
  const data = encodeFunctionData({ abi, functionName: "transfer", args: [ACCOUNTS[1]?.address, 1n] });
  return { from, to, data, gas: "0x186a0" };
}

const config = { rpcHost: "127.0.0.1", rpcPort: 0, chainId: 31_337, dir: undefined, explorer: false };
const node = await startDevNode({ ...config, blockTime: undefined }, () => undefined);
const client = createBenchClient(node.url, 2);
const transfer = await deploy(client.call);
await client.call("evm_setAutomine", [false]);
await client.call("evm_setIntervalMining", [1]);
const transfers = setInterval(() => {
  void client.call("eth_sendTransaction", [transfer]).catch((error: unknown) => console.error(String(error)));
}, TRANSFER_EVERY_MS);

const program = fileURLToPath(new URL("./subscribers.js", import.meta.url));
const subscribers = fork(program, [node.url.replace("http", "ws"), String(CLIENTS)]);
await sleep((minutes * 60_000) / 10);
const early = heapBytes();
console.log(`${CLIENTS} clients, heap after ${minutes / 10} min: ${(early / 2 ** 20).toFixed(1)} MiB`);
await sleep((minutes * 60_000 * 9) / 10);
const late = heapBytes();
subscribers.send("report");
const [counts] = (await once(subscribers, "message")) as [
  { heads: number; logs: number; isSlowCut: boolean },
];
console.log(
  `heap after ${minutes} min: ${(late / 2 ** 20).toFixed(1)} MiB, ${(late / early).toFixed(3)} of it (limit ${LIMIT})`,
);
console.log(`told: ${counts.heads} heads, ${counts.logs} logs`);
console.log(
  counts.isSlowCut
    ? "the reader that does not read was closed"
    : "the reader that does not read is still there",
);

subscribers.disconnect();
clearInterval(transfers);
client.close();
await node.close();
process.exit(late / early <= LIMIT && counts.isSlowCut ? 0 : 1);
