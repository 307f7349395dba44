/** Runs something again on copies of its contracts that have probes, and tells what each line cost. See specs/vm/tracing.md#jstracer. */

import type { Log } from "../block.ts";
import { TICKS_PER_GAS } from "../contract/host-gas.ts";
import type { ContractMachine, MessageTracer, Outcome } from "../message.ts";
import type { StateReader } from "../state/account.ts";
import { type BlockJournal, createJournal, type StateChanges } from "../state/journal.ts";
import type { LineRecorder } from "./line-recorder.ts";
import type { LineGas, LineTrace, RefusedTrace, TreeLine } from "./trace.ts";

/** How a run ended. */
export type Ending = {
  readonly outcome: Outcome;
  readonly output: Uint8Array;
  readonly gasUsed: number;
  readonly logs: readonly Log[];
};

/** What a run is given. */
export type RunSetting = {
  readonly journal: BlockJournal;
  readonly machine: ContractMachine;
  readonly tracer?: MessageTracer;
};

/**
 * Runs twice: as it is, for the result and the total, and with probes, for the lines. When the second did not do what the
 * first did, there is no trace.
 */
export function traceLines<T extends Ending>(
  state: StateReader,
  machine: ContractMachine,
  run: (setting: RunSetting) => T,
  withTree: boolean,
): { readonly result: T; readonly journal: BlockJournal; readonly trace: LineTrace | RefusedTrace } {
  const journal = createJournal(state);
  const result = run({ journal, machine });
  let difference: string | undefined;
  // Most runs may need a little more gas than they had; one that ran out of it somewhere must again.
  for (const spare of [1, 0, -1] as const) {
    const { machine: probed, recorder } = machine.openProbed(spare);
    const copy = createJournal(state);
    const again = run({ journal: copy, machine: probed, tracer: recorder });
    const found = differenceOf(result, again) ?? stateDifference(journal.changes(), copy.changes());
    if (found === undefined) return { result, journal, trace: toTrace(result, recorder, withTree) };
    difference ??= found;
  }
  return { result, journal, trace: { kind: "refused", difference: difference ?? "" } };
}

function differenceOf(real: Ending, again: Ending): string | undefined {
  if (real.outcome !== again.outcome) return `it ended with ${again.outcome}, and not with ${real.outcome}`;
  if (!isSame(real.output, again.output)) return "it returned something else";
  if (!isSame(real.logs, again.logs)) return "its logs differ";
  return undefined;
}

/** Balances differ by the fee, and nothing else may. */
function stateDifference(real: StateChanges, again: StateChanges): string | undefined {
  const slotsOf = ({ accounts }: StateChanges) =>
    [...accounts].flatMap(([address, { slots }]) =>
      [...slots].map(([slot, value]) => [address, slot, value]),
    );
  if (!isSame(slotsOf(real), slotsOf(again))) return "it stored something else";
  return isSame([...real.codes.keys()], [...again.codes.keys()]) ? undefined : "it deployed something else";
}

/** Of plain data. */
function isSame(a: unknown, b: unknown): boolean {
  return toText(a) === toText(b);
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}

function toTrace({ gasUsed, outcome, output }: Ending, recorder: LineRecorder, withTree: boolean): LineTrace {
  const lines = linesOf(recorder);
  const shown = lines.reduce((sum, { gas }) => sum + gas, 0);
  const stack = recorder.failure?.stack ?? [];
  return {
    kind: "lines",
    gasUsed,
    outcome,
    output,
    sources: new Map(
      [...new Set([...lines, ...stack].map(({ source }) => source))].map((source) => [
        source,
        recorder.sources.plain(source),
      ]),
    ),
    lines,
    otherGas: gasUsed - shown,
    stack,
    console: recorder.consoleLines,
    tree: withTree ? treeOf(recorder) : [],
  };
}

/** In the order of the source; a line's statements together. */
function linesOf(recorder: LineRecorder): LineGas[] {
  type Sum = { site: number; ticks: number; hits: number };
  const sums = new Map<string, Sum>();
  for (const [site, ticks] of recorder.lineTicks) {
    const { source, line } = recorder.sources.placeOf(site);
    const key = `${source} ${line}`;
    const sum = sums.get(key) ?? { site, ticks: 0, hits: 0 };
    sum.ticks += ticks;
    // Of a loop its condition runs most often, and counts once.
    sum.hits = Math.max(sum.hits, recorder.hits.get(site) ?? 0);
    sum.site = Math.min(sum.site, site);
    sums.set(key, sum);
  }
  return [...sums.values()]
    .sort((a, b) => a.site - b.site)
    .map(({ site, ticks, hits }) => ({
      ...recorder.sources.placeOf(site),
      gas: Math.round(ticks / TICKS_PER_GAS),
      hits,
    }));
}

function treeOf(recorder: LineRecorder): TreeLine[] {
  const indices = new Map(recorder.nodes.map((node, index) => [node, index]));
  return recorder.nodes.map(({ site, parent, ticks }) => ({
    ...recorder.sources.placeOf(site),
    functionName: recorder.sources.functionAt(site),
    parent: parent === undefined ? undefined : indices.get(parent),
    gas: Math.round(ticks / TICKS_PER_GAS),
  }));
}
