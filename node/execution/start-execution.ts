/** Starts the execution thread and connects to it. See specs/node/execution.md#the-thread. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describeStartFailure, StartError } from "../start-failure.ts";
import type { ExecutionUpcalls } from "./port.ts";
import { createExecutionClient, type ExecutionClient } from "./port-client.ts";
import type { ExecutionWorkerOptions, WorkerGreeting } from "./worker-options.ts";

export type ExecutionThread = {
  readonly port: ExecutionClient;
  /** Where JSON-RPC listens. */
  readonly rpcPort: number;
};

/**
 * Resolves when the thread serves. Later its death, expected or not, ends every call with PORT_CLOSED; an
 * unexpected one is `fatal` too.
 * @throws StartError
 */
export async function startExecution(
  options: ExecutionWorkerOptions,
  upcalls: ExecutionUpcalls,
): Promise<ExecutionThread> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: options });
  const greeting = await greetingOf(worker);
  if (greeting.type === "failed") {
    await worker.terminate();
    throw new StartError(greeting.failure);
  }
  const client = createExecutionClient(worker, upcalls);
  let isStopping = false;
  worker.on("error", (error) => upcalls.fatal(error.stack ?? error.message));
  worker.on("exit", (code) => {
    client.disconnect(`the execution thread exited with code ${code}`);
    if (!isStopping) upcalls.fatal(`the execution thread exited with code ${code}`);
  });
  const stop = async () => {
    isStopping = true;
    const exited = once(worker, "exit");
    await client.stop();
    await worker.terminate();
    await exited;
  };
  return { port: { ...client, stop }, rpcPort: greeting.rpcPort };
}

async function greetingOf(worker: Worker): Promise<WorkerGreeting> {
  try {
    const [greeting] = (await once(worker, "message")) as [WorkerGreeting];
    return greeting;
  } catch (error) {
    // `once` rejects with what the thread threw before it could say anything.
    return { type: "failed", failure: describeStartFailure(error) };
  }
}
