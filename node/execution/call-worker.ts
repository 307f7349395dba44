/** A call worker, loaded by its entry: reads that run contract code or scan many blocks. See specs/node/calls.md#the-worker. */
import "../polyfill.ts";
import { parentPort, workerData } from "node:worker_threads";
import type { Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { createThreadRegistry, type ThreadName } from "../metrics/thread-metrics.ts";
import { installNativeBackends } from "../native/install.ts";
import { openDatabase } from "../storage/database.ts";
import { createAnswerPost } from "./answer-post.ts";
import type { FromCallWorker, NumberedTask, ToCallWorker } from "./call-messages.ts";
import { CallService } from "./call-service.ts";
import { openContractMachine, openSnapshotFiles } from "./open-machine.ts";

export type CallWorkerData = {
  readonly directory: string;
  readonly chain: Hash;
  readonly chainId: bigint;
  readonly thread: ThreadName;
  /** Where the worker says which task it is at: one that never ends cannot be asked. */
  readonly underWay: Int32Array;
};

assert(parentPort !== null, "a call worker runs in a thread");
const port = parentPort;
const { directory, chain, chainId, thread, underWay } = workerData as CallWorkerData;

const registry = createThreadRegistry(thread);
await installNativeBackends();
const database = await openDatabase({ directory, role: "execution", chain, readOnly: true });
const store = openSnapshotFiles(directory, { isReadOnly: true });
const service = new CallService(database, chainId, openContractMachine({ store }));

const answers = createAnswerPost(
  (posted) => port.postMessage({ type: "answers", answers: posted } satisfies FromCallWorker),
  () => performance.now(),
);

function work(tasks: readonly NumberedTask[]): void {
  service.refresh();
  answers.flush();
  for (const task of tasks) {
    Atomics.store(underWay, 0, task.id);
    answers.add(service.answer(task));
  }
  answers.flush();
}

port.postMessage({ type: "ready" } satisfies FromCallWorker);
port.on("message", async (message: ToCallWorker) => {
  switch (message.type) {
    case "layer":
      return service.addLayer(message.layer);
    case "merged":
      return service.onMerged(message.number);
    case "tasks":
      return work(message.tasks);
    case "readMetrics": {
      const readings = await registry.getMetricsAsJSON();
      return port.postMessage({ type: "metrics", readings } satisfies FromCallWorker);
    }
  }
});
