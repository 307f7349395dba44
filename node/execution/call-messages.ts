/** What the execution thread and a call worker say to each other; plain data. See specs/node/calls.md#the-worker. */
import type { Hash } from "../../primitives/bytes.ts";
import type { StateDiff } from "../../vm/state/account.ts";
import type { MetricReading } from "../metrics/thread-metrics.ts";
import type { ReadTask } from "./call-tasks.ts";

/** What an unfinalized block changed, without trie nodes: calls prove nothing. */
export type CallLayer = {
  readonly blockHash: Hash;
  readonly parentHash: Hash;
  readonly number: number;
  readonly diff: Pick<StateDiff, "accounts" | "storage" | "codes">;
};

/** A task under the number its answer comes back with: from 1 on, below 2^31. */
export type NumberedTask = { readonly id: number; readonly task: ReadTask };

export type ToCallWorker =
  | { readonly type: "layer"; readonly layer: CallLayer }
  /** The state on disk is that of block `number` now. */
  | { readonly type: "merged"; readonly number: number }
  /** Worked through in this order. */
  | { readonly type: "tasks"; readonly tasks: readonly NumberedTask[] }
  | { readonly type: "readMetrics" };

export type CallAnswer =
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  /** The worker cannot read the state of the task's block. */
  | { readonly type: "stateNotHere"; readonly id: number }
  | { readonly type: "failure"; readonly id: number; readonly message: string };

export type FromCallWorker =
  /** The engine is up: from here on a task's time counts. */
  | { readonly type: "ready" }
  | { readonly type: "answers"; readonly answers: readonly CallAnswer[] }
  | { readonly type: "metrics"; readonly readings: readonly MetricReading[] };
