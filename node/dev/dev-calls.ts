/** Calls of a development chain, in the one thread there is, with contracts' `console.log` heard. See specs/node/dev.md#console. */

import { type ReadResult, type ReadTask, runTask, type TaskSite } from "../execution/call-tasks.ts";
import type { Calls } from "../execution/calls.ts";

/** What hears `console.log`: nobody, while a call is tried several times to estimate its gas. */
export type ConsoleSwitch = { isHeard: boolean };

export class DevCalls implements Calls {
  readonly #site: TaskSite;
  readonly #console: ConsoleSwitch;

  constructor(site: TaskSite, consoleSwitch: ConsoleSwitch) {
    this.#site = site;
    this.#console = consoleSwitch;
  }

  async run<T extends ReadTask>(task: T): Promise<ReadResult<T>> {
    await new Promise((resolve) => setImmediate(resolve));
    const wasHeard = this.#console.isHeard;
    this.#console.isHeard = task.kind === "call";
    try {
      return runTask(task, this.#site) as ReadResult<T>;
    } finally {
      this.#console.isHeard = wasHeard;
    }
  }

  async stop(): Promise<void> {}
}
