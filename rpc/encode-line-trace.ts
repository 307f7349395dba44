/** What lines cost, as clients see it. See specs/rpc/tracing.md#jstracer. */
import { type Hash, toHex } from "../primitives/bytes.ts";
import { OUTCOME_TEXT } from "../vm/outcome-text.ts";
import type { ConsoleLine, LineTrace, SourcePlace, StackFrame } from "../vm/tracing/trace.ts";
import type { JsonObject } from "./json.ts";
import { readRevertReason } from "./revert-reason.ts";
import { toQuantity } from "./schema.ts";
import type { ShownPlace, SourceMaps } from "./source-maps.ts";

/** Lines that two statements of one line, or two lines of JavaScript, share are one. */
export function encodeLineTrace(trace: LineTrace, maps: SourceMaps): JsonObject {
  const { gasUsed, outcome, output, lines, otherGas, stack, console, tree, sources } = trace;
  const reason = outcome === "revert" ? readRevertReason(output) : undefined;
  return {
    gasUsed: toQuantity(gasUsed),
    failed: outcome !== "success",
    returnValue: toHex(output),
    ...(outcome !== "success" && { error: OUTCOME_TEXT[outcome] }),
    ...(reason !== undefined && { revertReason: reason }),
    ...(stack.length > 0 && { stack: stackLines(stack, sources, maps) }),
    lines: merged(lines.map((line) => ({ ...show(line, sources, maps), gas: line.gas, hits: line.hits }))),
    otherGas,
    ...(console.length > 0 && { console: console.map((line) => encodeConsole(line, sources, maps)) }),
    ...(tree.length > 0 && {
      tree: tree.map((line) => ({
        ...show(line, sources, maps),
        functionName: line.functionName,
        parent: line.parent ?? null,
        gas: line.gas,
      })),
    }),
  };
}

export type EncodedLine = ShownPlace & { readonly gas: number; readonly hits: number };

function merged(lines: readonly EncodedLine[]): EncodedLine[] {
  const byPlace = new Map<string, EncodedLine>();
  for (const line of lines) {
    const key = `${line.file}:${line.line}`;
    const other = byPlace.get(key);
    const hits = Math.max(line.hits, other?.hits ?? 0);
    byPlace.set(key, { ...(other ?? line), gas: line.gas + (other?.gas ?? 0), hits });
  }
  return [...byPlace.values()];
}

/** In JavaScript's form: `at transfer (contracts/token.ts:12:5)`. */
export function stackLines(
  stack: readonly StackFrame[],
  sources: ReadonlyMap<Hash, string>,
  maps: SourceMaps,
): string[] {
  return stack.map((frame) => `at ${frame.functionName} (${placeText(frame, sources, maps)})`);
}

/** `contracts/token.ts:12:5`. */
export function placeText(place: SourcePlace, sources: ReadonlyMap<Hash, string>, maps: SourceMaps): string {
  const { file, line, column } = show(place, sources, maps);
  return `${file}:${line}:${column}`;
}

function show(place: SourcePlace, sources: ReadonlyMap<Hash, string>, maps: SourceMaps): ShownPlace {
  return maps.show(place, sources.get(place.source));
}

function encodeConsole(
  { address, text, at }: ConsoleLine,
  sources: ReadonlyMap<Hash, string>,
  maps: SourceMaps,
): JsonObject {
  return { address, text, ...(at !== undefined && { at: placeText(at, sources, maps) }) };
}
