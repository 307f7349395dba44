/** Several call workers as one. See specs/node/calls.md#the-worker. */
import { availableParallelism } from "node:os";
import { assert } from "../../primitives/errors.ts";
import type { MetricReading } from "../metrics/thread-metrics.ts";
import type { CallLayer } from "./call-messages.ts";
import type { ReadResult, ReadTask } from "./call-tasks.ts";
import type { CallWorkerClient } from "./call-worker-client.ts";
import type { Calls } from "./calls.ts";

/** Cores left to consensus and to blocks. */
const OTHER_THREADS = 2;
/** Each worker has an engine and a cache of contracts: memory sets the limit, not cores. */
const DEFAULT_MAXIMUM = 4;

/** Workers when no flag says how many: one for each core that the node's own two threads leave. */
export function defaultCallWorkers(cores = availableParallelism()): number {
  return Math.max(1, Math.min(DEFAULT_MAXIMUM, cores - OTHER_THREADS));
}

/** Hands each task to the worker with the fewest. */
export class CallWorkers implements Calls {
  readonly #clients: readonly CallWorkerClient[];

  /** @param clients at least one. */
  constructor(clients: readonly CallWorkerClient[]) {
    this.#clients = clients;
  }

  run<T extends ReadTask>(task: T): Promise<ReadResult<T>> {
    const [first, ...others] = this.#clients;
    assert(first !== undefined, "there is a call worker");
    let idlest = first;
    for (const client of others) if (client.waiting() < idlest.waiting()) idlest = client;
    return idlest.run(task);
  }

  addLayer(layer: CallLayer): void {
    for (const client of this.#clients) client.addLayer(layer);
  }

  onMerged(number: number): void {
    for (const client of this.#clients) client.onMerged(number);
  }

  /** Tasks that are not done. */
  waiting(): number {
    return this.#clients.reduce((sum, client) => sum + client.waiting(), 0);
  }

  /** Of each worker, as of the last time this was asked. */
  readMetrics(): readonly (readonly MetricReading[])[] {
    return this.#clients.map((client) => client.readMetrics());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }
}
