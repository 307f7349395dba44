/** Calls of a development chain, in the one thread there is: what contracts say is heard, and failures say where. See specs/node/dev.md#console. */
import type { CallOutcome } from "../../rpc/chain-view.ts";
import {
  type CallTask,
  type ReadResult,
  type ReadTask,
  runTask,
  type TaskSite,
} from "../execution/call-tasks.ts";
import type { Calls } from "../execution/calls.ts";
import { type ConsoleEar, type DevNarrator, withStack } from "./dev-narrator.ts";
import type { DevProfiler } from "./dev-profiler.ts";

export type DevCallsParts = {
  readonly site: TaskSite;
  readonly ear: ConsoleEar;
  readonly narrator: DevNarrator;
  readonly profiler: DevProfiler | undefined;
  readonly write: (text: string) => void;
};

export class DevCalls implements Calls {
  readonly #parts: DevCallsParts;

  constructor(parts: DevCallsParts) {
    this.#parts = parts;
  }

  async run<T extends ReadTask>(task: T): Promise<ReadResult<T>> {
    await new Promise((resolve) => setImmediate(resolve));
    const { site, ear, narrator, profiler, write } = this.#parts;
    const wasOpen = ear.isOpen;
    // What a block that is being made said is told with the block.
    const others = ear.heard.splice(0);
    ear.isOpen = task.kind === "call";
    try {
      const result = runTask(task, site) as ReadResult<T>;
      if (!isCall(task)) return result;
      if (task.kind === "call") profiler?.onCall(task);
      for (const line of narrator.linesOfCall(task)) write(`${line}\n`);
      return explained(task, result as ReadResult<CallTask>, narrator) as ReadResult<T>;
    } finally {
      ear.isOpen = wasOpen;
      ear.heard.push(...others);
    }
  }

  async stop(): Promise<void> {}
}

function isCall(task: ReadTask): task is CallTask {
  return task.kind === "call" || task.kind === "estimateGas";
}

/** A failure with the place in the author's source where it happened. */
function explained(
  task: CallTask,
  result: CallOutcome | ReadResult<CallTask>,
  narrator: DevNarrator,
): CallOutcome | ReadResult<CallTask> {
  if ("failed" in result) return { failed: withStack(result.failed, narrator.stackOfCall(task)) };
  if (!("outcome" in result) || result.outcome === "success") return result;
  return withStack(result, narrator.stackOfCall(task));
}
