/** Starts call workers and tells them of every block. See specs/node/calls.md#the-worker. */
import { Worker } from "node:worker_threads";
import type { Block } from "../../vm/block.ts";
import type { Layer } from "../../vm/state/layers.ts";
import type { ThreadName } from "../metrics/thread-metrics.ts";
import type { CallLayer } from "./call-messages.ts";
import type { CallWorkerData } from "./call-worker.ts";
import type { CallThread } from "./call-worker-client.ts";
import type { ExecutionChain } from "./execution-chain.ts";

/** @param onFault told why a worker died on its own; its client starts another. */
export function spawnCallThread(
  data: Omit<CallWorkerData, "underWay">,
  onFault: (error: Error) => void,
): CallThread {
  const underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: CallWorkerData = { ...data, underWay };
  const worker = new Worker(new URL("./call-entry.js", import.meta.url), { workerData });
  worker.on("error", onFault);
  return {
    postMessage: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", listener),
    onExit: (listener) => void worker.on("exit", () => listener()),
    taskUnderWay: () => Atomics.load(underWay, 0),
    terminate: () => void worker.terminate(),
  };
}

/** Of the worker with this index, in metrics. */
export function callThreadName(index: number): ThreadName {
  return index === 0 ? "call" : `call-${index + 1}`;
}

/** What is told of every block. */
export type LayerFollower = { addLayer(layer: CallLayer): void; onMerged(number: number): void };

/** Sends the workers the layers there are and every later one. Returns the function that ends it. */
export function followChain(chain: ExecutionChain, calls: LayerFollower): () => void {
  return chain.subscribe({
    onLayer: (layer, block) => calls.addLayer(callLayerOf(layer, block)),
    onMerged: ({ header }) => calls.onMerged(header.number),
  });
}

function callLayerOf({ blockHash, parentHash, diff }: Layer, { header }: Block): CallLayer {
  const { accounts, storage, codes } = diff;
  return { blockHash, parentHash, number: header.number, diff: { accounts, storage, codes } };
}
