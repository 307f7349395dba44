/** Entry of a call worker: reads that run contract code or scan many blocks. See specs/node/calls.md#the-worker. */
import "../polyfill.ts";
import { parentPort, workerData } from "node:worker_threads";
import type { Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { createThreadRegistry } from "../metrics/thread-metrics.ts";
import { installNativeBackends } from "../native/install.ts";
import { openDatabase } from "../storage/database.ts";
import type { FromCallWorker, ToCallWorker } from "./call-messages.ts";
import { CallService } from "./call-service.ts";
import { openContractMachine, openSnapshotFiles } from "./open-machine.ts";

export type CallWorkerData = { readonly directory: string; readonly chain: Hash; readonly chainId: bigint };

assert(parentPort !== null, "a call worker runs in a thread");
const port = parentPort;
const { directory, chain, chainId } = workerData as CallWorkerData;

const registry = createThreadRegistry("call");
await installNativeBackends();
const database = await openDatabase({ directory, role: "execution", chain, readOnly: true });
const store = openSnapshotFiles(directory, { isReadOnly: true });
const service = new CallService(database, chainId, openContractMachine({ store }));

port.postMessage({ type: "ready" } satisfies FromCallWorker);
port.on("message", async (message: ToCallWorker) => {
  if (message.type === "readMetrics") {
    const readings = await registry.getMetricsAsJSON();
    return port.postMessage({ type: "metrics", readings } satisfies FromCallWorker);
  }
  const answer = service.handle(message);
  if (answer !== undefined) port.postMessage(answer);
});
