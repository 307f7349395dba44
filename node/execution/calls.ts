/** Who carries out read tasks, and the same done in this thread. See specs/node/calls.md. */
import { ERROR_CODES, RpcError } from "../../rpc/rpc-errors.ts";
import { type ReadResult, type ReadTask, runTask, type TaskSite } from "./call-tasks.ts";

export interface Calls {
  /** @throws RpcError when it takes too long or too many wait. */
  run<T extends ReadTask>(task: T): Promise<ReadResult<T>>;
  stop(): Promise<void>;
}

/** Tasks that may wait at once; geth has no such limit, but a queue nobody bounds is memory nobody bounds. */
export const WAITING_TASKS_LIMIT = 256;

export function tooManyCalls(): RpcError {
  return new RpcError(ERROR_CODES.limitExceeded, "too many calls are waiting");
}

/** Runs tasks in this thread, one per turn of its event loop: for specs, and where a worker lacks the state. */
export class LocalCalls implements Calls {
  readonly #site: TaskSite;
  #waiting = 0;

  constructor(site: TaskSite) {
    this.#site = site;
  }

  async run<T extends ReadTask>(task: T): Promise<ReadResult<T>> {
    if (this.#waiting >= WAITING_TASKS_LIMIT) throw tooManyCalls();
    this.#waiting++;
    try {
      await new Promise((resolve) => setImmediate(resolve));
      return runTask(task, this.#site) as ReadResult<T>;
    } finally {
      this.#waiting--;
    }
  }

  async stop(): Promise<void> {}
}
