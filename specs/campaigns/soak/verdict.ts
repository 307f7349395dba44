/** What the samples of a soak say: figures for each node, and whether anything leaks or was lost. See specs/campaigns/soak/soak.md. */
import type { ClosingSample, MemorySample, QuietSample, Sample } from "./samples.ts";
import { type Point, quantile, type Slope, slopeOf } from "./slope.ts";

/**
 * A thread's live objects: what a node with the default heap of 4 GB survives for six weeks. Below it, an hour cannot
 * tell growth from the waves of caches.
 */
const HEAP_LIMIT_BYTES_PER_HOUR = 4 * 2 ** 20;
/** A process without its mapped files: heaps are given back late and fragments stay, so waves are larger. */
const ANONYMOUS_LIMIT_BYTES_PER_HOUR = 32 * 2 ** 20;
/** Files, sockets and resources more than before the load: a peer that connects anew, a file of the database. */
const HANDLES_LIMIT = 8;
/** Slopes over less time only show that caches fill. */
export const FEWEST_JUDGED_MINUTES = 20;

/** A node that does not finalize keeps every block it may still need: its growth is no leak. */
const JUDGED_LAG_SLOTS = 64;

const MS_PER_HOUR = 3_600_000;

export type Row = { readonly name: string; readonly slope: Slope | undefined; readonly last: number };

export type NodeFigures = {
  readonly node: number;
  readonly emptySlots: number;
  readonly lateVotes: number;
  readonly lag: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The process and each of its threads. */
  readonly memory: readonly Row[];
  readonly handles: { readonly before: number; readonly after: number; readonly most: number };
};

export type Verdict = {
  readonly minutes: number;
  readonly judgedMinutes: number;
  readonly nodes: readonly NodeFigures[];
  readonly closing: ClosingSample | undefined;
  /** One sentence for each leak or loss; empty when all is well. */
  readonly faults: readonly string[];
};

export function verdictOf(samples: readonly Sample[]): Verdict {
  const start = samples.find((sample) => sample.kind === "start");
  const memory = samples.filter((sample) => sample.kind === "memory");
  const startMs = start?.atMs ?? 0;
  const endMs = memory.at(-1)?.atMs ?? startMs;
  const judgedFromMs = startMs + (start?.warmUpMs ?? 0);
  const judgedMinutes = Math.max(0, (endMs - judgedFromMs) / 60_000);
  const numbers = [...new Set(memory.map(({ node }) => node))].sort((a, b) => a - b);
  const nodes = numbers.map((node) => figuresOf(node, samples, judgedFromMs));
  const closing = samples.find((sample) => sample.kind === "closing");
  const leaks = judgedMinutes < FEWEST_JUDGED_MINUTES ? [] : nodes.flatMap(leaksOf);
  return {
    minutes: (endMs - startMs) / 60_000,
    judgedMinutes,
    nodes,
    closing,
    faults: [...leaks, ...nodes.flatMap(handleFaults), ...(closing?.losses ?? [])],
  };
}

function figuresOf(node: number, samples: readonly Sample[], judgedFromMs: number): NodeFigures {
  const of = samples.filter((sample) => "node" in sample && sample.node === node);
  const memory = of.filter((sample) => sample.kind === "memory");
  const lags = of.filter((sample) => sample.kind === "lag").map(({ finalityLagSlots }) => finalityLagSlots);
  const quiet = of.filter((sample) => sample.kind === "quiet");
  const [first, last] = [memory[0], memory.at(-1)];
  const judged = memory.filter(
    ({ atMs, finalityLagSlots }) => atMs >= judgedFromMs && finalityLagSlots <= JUDGED_LAG_SLOTS,
  );
  return {
    node,
    emptySlots: (last?.emptySlots ?? 0) - (first?.emptySlots ?? 0),
    lateVotes: (last?.lateVotes ?? 0) - (first?.lateVotes ?? 0),
    lag: {
      p50: quantile(lags, 0.5) ?? 0,
      p99: quantile(lags, 0.99) ?? 0,
      max: lags.reduce((most, lag) => Math.max(most, lag), 0),
    },
    memory: [
      rowOf("rss", judged, ({ process }) => process.residentBytes),
      rowOf("anonymous", judged, ({ process }) => process.anonymousBytes),
      ...threadNames(memory).map((name) => rowOf(name, judged, (sample) => bytesOf(sample, name))),
    ],
    handles: {
      before: handlesOf(quiet.find(({ when }) => when === "before")),
      after: handlesOf(quiet.findLast(({ when }) => when === "after")),
      most: memory.reduce((most, { process }) => Math.max(most, process.openFiles), 0),
    },
  };
}

function threadNames(memory: readonly MemorySample[]): readonly string[] {
  return [...new Set(memory.flatMap(({ threads }) => threads.map(({ thread }) => thread)))];
}

/** All call workers of a process count as one. */
function bytesOf({ threads }: MemorySample, name: string): number | undefined {
  const found = threads.filter(({ thread }) => thread === name);
  if (found.length === 0) return undefined;
  return found.reduce((sum, { heapBytes, externalBytes }) => sum + heapBytes + externalBytes, 0);
}

function rowOf(
  name: string,
  samples: readonly MemorySample[],
  read: (sample: MemorySample) => number | undefined,
): Row {
  const points: readonly Point[] = samples.flatMap((sample) => {
    const value = read(sample);
    return value === undefined ? [] : [{ atHours: sample.atMs / MS_PER_HOUR, value }];
  });
  return { name, slope: slopeOf(points), last: points.at(-1)?.value ?? 0 };
}

/** What the event loops hold is part of it: a forgotten timer opens no file. */
function handlesOf(sample: QuietSample | undefined): number {
  return sample === undefined ? 0 : sample.process.openFiles + sample.resources;
}

function leaksOf({ node, memory }: NodeFigures): readonly string[] {
  return memory.flatMap(({ name, slope }) => {
    if (name === "rss" || slope === undefined) return [];
    const limit = name === "anonymous" ? ANONYMOUS_LIMIT_BYTES_PER_HOUR : HEAP_LIMIT_BYTES_PER_HOUR;
    if (slope.atLeastPerHour <= limit) return [];
    const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    return [
      `node ${node}: ${name} grows by ${megabytes(slope.perHour)} MiB an hour, surely by ${megabytes(slope.atLeastPerHour)}; the limit is ${megabytes(limit)}`,
    ];
  });
}

function handleFaults({ node, handles }: NodeFigures): readonly string[] {
  if (handles.after <= handles.before + HANDLES_LIMIT) return [];
  return [`node ${node}: ${handles.after} handles after the load, ${handles.before} before it`];
}
