/** Gas by line of everything a development chain runs: `jurat dev --profile`. See specs/rpc/profile.md. */
import { writeFileSync } from "node:fs";
import { encodeLineTrace } from "../../rpc/encode-line-trace.ts";
import { GasProfile, type ProfiledRun } from "../../rpc/gas-profile.ts";
import type { SourceMaps } from "../../rpc/source-maps.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import type { Trace } from "../../vm/tracing/trace.ts";
import { type CallTask, runTask, type TaskSite } from "../execution/call-tasks.ts";
import { type ConsoleEar, quietly } from "./dev-narrator.ts";

const TREE = { tracer: "jsTracer", withTree: true } as const;
const ROWS = 30;

export type ProfilerParts = {
  readonly site: TaskSite;
  readonly maps: SourceMaps;
  readonly ear: ConsoleEar;
  readonly file: string;
};

export class DevProfiler {
  readonly #parts: ProfilerParts;
  readonly #profile = new GasProfile();
  /** Runs that read their own source, or went as deep as they could. */
  #refused = 0;

  constructor(parts: ProfilerParts) {
    this.#parts = parts;
  }

  onCall(task: CallTask): void {
    const { site, ear } = this.#parts;
    const outcome = quietly(ear, () => runTask({ ...task, kind: "traceCall", tracer: TREE }, site));
    // A call that could not even begin used nothing.
    if ("trace" in (outcome as object)) this.#add("calls", (outcome as { readonly trace: Trace }).trace);
  }

  onBlock(block: Block, receipts: readonly ExecutedReceipt[]): void {
    const { site, ear } = this.#parts;
    if (receipts.length === 0) return;
    const task = { kind: "traceBlock", block, receipts, index: undefined, tracer: TREE } as const;
    for (const trace of quietly(ear, () => runTask(task, site)) as readonly Trace[]) {
      this.#add("transactions", trace);
    }
  }

  /** Writes the flamegraph. @returns the table. */
  finish(): string {
    const { file } = this.#parts;
    writeFileSync(file, JSON.stringify(this.#profile.speedscope(`jurat dev, ${this.#profile.runs} runs`)));
    const refused = this.#refused === 0 ? [] : [`  ${this.#refused} runs have no lines and are left out`];
    return ["", ...this.#profile.table(ROWS), ...refused, `  flamegraph in ${file}, for speedscope`, ""].join(
      "\n",
    );
  }

  #add(name: string, trace: Trace): void {
    if (trace.kind === "lines") {
      this.#profile.add(name, encodeLineTrace(trace, this.#parts.maps) as unknown as ProfiledRun);
    } else this.#refused++;
  }
}
