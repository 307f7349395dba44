#!/usr/bin/env node
/**
 * npm run bench:subscriptions: 200 WebSocket clients on newHeads and logs of a real node, blocks of one second, a
 * reader that does not read; the node's heaps after `--minutes` (10) against those after the first tenth of them.
 */
import "../node/polyfill.ts";
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installNativeBackends } from "../node/native/install.ts";
import { freeBasePort } from "../specs/support/free-ports.ts";
import { startSingleNode } from "../specs/support/single-node.ts";
import { createBenchClient } from "./bench-client.ts";
import { deployToken } from "./erc20.ts";
import { connectHeap, type NodeHeap } from "./node-heap.ts";

const CLIENTS = 200;
const TRANSFER_EVERY_MS = 500;
const LIMIT = 1.1;
/** Of the inspector, beside the ports a node takes from its base on. */
const INSPECTOR_OFFSET = 500;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes takes a positive number, not ${values.minutes}`);

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function report(heap: NodeHeap, title: string): Promise<number> {
  const { main, workers } = await heap.read();
  console.log(
    `heap ${title}: ${mib(main + workers)} (consensus ${mib(main)}, other threads ${mib(workers)})`,
  );
  return main + workers;
}

await installNativeBackends();
const inspectorPort = (await freeBasePort(1)) + INSPECTOR_OFFSET;
const node = await startSingleNode({ runtimeFlags: [`--inspect=127.0.0.1:${inspectorPort}`] });
const heap = await connectHeap(inspectorPort);
const client = createBenchClient(node.url, 2);
const token = await deployToken(client, node.chainId, false);
let nonce = token.nextNonce;
const transfers = setInterval(() => {
  void client
    .call("eth_sendRawTransaction", [token.transfer(nonce++)])
    .catch((error: unknown) => console.error(String(error)));
}, TRANSFER_EVERY_MS);

const program = fileURLToPath(new URL("./subscribers.js", import.meta.url));
const subscribers = fork(program, [node.url.replace("http", "ws"), String(CLIENTS)]);

type Counts = { readonly heads: number; readonly logs: number; readonly isSlowCut: boolean };
async function askSubscribers(): Promise<Counts> {
  subscribers.send("report");
  const [counts] = (await once(subscribers, "message")) as [Counts];
  return counts;
}

/** Until the slow reader is closed its queue is all there is to see, and so the minutes count from then on. */
const SLOW_READER_LIMIT_MS = 10 * 60_000;
const startedMs = performance.now();
while (!(await askSubscribers()).isSlowCut && performance.now() - startedMs < SLOW_READER_LIMIT_MS) {
  await pause(1000);
}
await pause((minutes * 60_000) / 10);
const early = await report(heap, `after ${minutes / 10} min, ${CLIENTS} clients`);
let late = early;
for (let tenth = 2; tenth <= 10; tenth++) {
  await pause((minutes * 60_000) / 10);
  late = await report(heap, `after ${(minutes * tenth) / 10} min`);
}
const counts = await askSubscribers();
console.log(`${(late / early).toFixed(3)} of the first (limit ${LIMIT})`);
console.log(`told: ${counts.heads} heads, ${counts.logs} logs`);
console.log(
  counts.isSlowCut
    ? "the reader that does not read was closed"
    : "the reader that does not read is still there",
);

subscribers.disconnect();
clearInterval(transfers);
client.close();
heap.close();
await node.stop();
process.exit(late / early <= LIMIT && counts.isSlowCut ? 0 : 1);
