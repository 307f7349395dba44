/** What contracts say and where they fail, with file and line, by running it again with probes. See specs/node/dev.md#console. */
import type { Address } from "../../primitives/bytes.ts";
import type { CallOutcome } from "../../rpc/chain-view.ts";
import { placeText, stackLines } from "../../rpc/encode-line-trace.ts";
import type { SourceMaps } from "../../rpc/source-maps.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import type { Trace } from "../../vm/tracing/trace.ts";
import { type CallTask, runTask, type TaskSite } from "../execution/call-tasks.ts";

/** Transactions of one block that are run again; of others nobody says where. */
const TOLD_LIMIT = 8;
const LINES = { tracer: "jsTracer", withTree: false } as const;

/** What `console.log` said since it was read last; nothing while a call is tried only to estimate its gas. */
export type ConsoleEar = { isOpen: boolean; heard: { readonly address: Address; readonly text: string }[] };

/** A run that is only watched says nothing. */
export function quietly<T>(ear: ConsoleEar, run: () => T): T {
  const wasOpen = ear.isOpen;
  ear.isOpen = false;
  try {
    return run();
  } finally {
    ear.isOpen = wasOpen;
  }
}

export type NarratorParts = {
  readonly site: TaskSite;
  readonly maps: SourceMaps;
  readonly ear: ConsoleEar;
};

export class DevNarrator {
  readonly #parts: NarratorParts;

  constructor(parts: NarratorParts) {
    this.#parts = parts;
  }

  /** What a call's contracts said, each line with its place. */
  linesOfCall(task: CallTask): readonly string[] {
    const heard = this.#takeHeard();
    return heard.length === 0 ? [] : this.#consoleOf(this.#traceCall(task), heard);
  }

  /** Where a call failed, the innermost function first; empty when that was in no contract's code. */
  stackOfCall(task: CallTask): readonly string[] {
    return this.#stackOf(this.#traceCall(task));
  }

  /** By transaction: what contracts said, and where they failed. */
  linesOfBlock(block: Block, receipts: readonly ExecutedReceipt[]): ReadonlyMap<number, readonly string[]> {
    const heard = this.#takeHeard();
    const told = receipts.flatMap(({ succeeded }, index) => (succeeded && heard.length === 0 ? [] : [index]));
    const lines = new Map<number, readonly string[]>();
    const traces = told.slice(0, TOLD_LIMIT).map((index) => this.#traceTransaction(block, receipts, index));
    const isComplete = traces.length === told.length && traces.every((trace) => trace?.kind === "lines");
    for (const [at, trace] of traces.entries()) {
      const said = isComplete ? this.#consoleOf(trace, []) : [];
      lines.set(told[at] ?? 0, [...said, ...this.#stackOf(trace)]);
    }
    if (!isComplete) lines.set(0, [...this.#consoleOf(undefined, heard), ...(lines.get(0) ?? [])]);
    return lines;
  }

  #traceTransaction(block: Block, receipts: readonly ExecutedReceipt[], index: number): Trace | undefined {
    const task = { kind: "traceBlock", block, receipts, index, tracer: LINES } as const;
    return (quietly(this.#parts.ear, () => runTask(task, this.#parts.site)) as readonly Trace[])[0];
  }

  #traceCall(task: CallTask): Trace | undefined {
    const outcome = quietly(this.#parts.ear, () =>
      runTask({ ...task, kind: "traceCall", tracer: LINES }, this.#parts.site),
    ) as { readonly trace?: Trace };
    return outcome.trace;
  }

  #takeHeard(): ConsoleEar["heard"] {
    return this.#parts.ear.heard.splice(0);
  }

  #consoleOf(trace: Trace | undefined, heard: ConsoleEar["heard"]): readonly string[] {
    if (trace?.kind !== "lines") return heard.map(({ address, text }) => `console.log ${address}  ${text}`);
    const { maps } = this.#parts;
    return trace.console.map(({ address, text, at }) => {
      const place = at === undefined ? address : placeText(at, trace.sources, maps);
      return `console.log ${place}  ${text}`;
    });
  }

  #stackOf(trace: Trace | undefined): readonly string[] {
    return trace?.kind === "lines" ? stackLines(trace.stack, trace.sources, this.#parts.maps) : [];
  }
}

/** `outcome` with where it failed. */
export function withStack(outcome: CallOutcome, stack: readonly string[]): CallOutcome {
  return stack.length === 0 ? outcome : { ...outcome, stack };
}
