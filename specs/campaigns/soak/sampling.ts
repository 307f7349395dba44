/** Looks at the nodes of a soak: finality every second, memory and handles every twenty. */
import { setTimeout as pause } from "node:timers/promises";
import { nodeStatus } from "../../../testnet/node-status.ts";
import { Inspector } from "./inspector.ts";
import { type MemorySample, type QuietSample, readProcess, type SampleFile } from "./samples.ts";

const LAG_EVERY_MS = 1000;
const MEMORY_EVERY_MS = 20_000;
const REPORT_EVERY = 15;

export type SoakTarget = {
  readonly number: number;
  readonly url: string;
  /** Undefined when the process is gone. */
  readonly processId: () => number | undefined;
  readonly metricsUrl: string;
  readonly inspectorPort: number;
};

export function startSampling(
  targets: readonly SoakTarget[],
  file: SampleFile,
  print: (line: string) => void,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const every = async (milliseconds: number, act: () => Promise<void>) => {
    while (!signal.aborted) {
      // A node that does not answer leaves a gap; one that ended is found at the end.
      await act().catch(() => undefined);
      await pause(milliseconds, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = targets.flatMap((target) => [
    every(LAG_EVERY_MS, async () => {
      const status = await nodeStatus(target.url);
      if (status === undefined) return;
      const { finalityLagSlots } = status;
      file.add({ kind: "lag", atMs: Date.now(), node: target.number, finalityLagSlots });
    }),
    watchMemory(target, every, file, print),
  ]);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
      for (const target of targets) await addMemory(target, file).catch(() => undefined);
    },
  };
}

async function watchMemory(
  target: SoakTarget,
  every: (milliseconds: number, act: () => Promise<void>) => Promise<void>,
  file: SampleFile,
  print: (line: string) => void,
): Promise<void> {
  let readings = 0;
  await every(MEMORY_EVERY_MS, async () => {
    const sample = await addMemory(target, file);
    if (readings++ % REPORT_EVERY === 0) print(lineOf(sample));
  });
}

async function addMemory(target: SoakTarget, file: SampleFile): Promise<MemorySample> {
  const counters = await readCounters(target.metricsUrl);
  const { process, threads } = await readNode(target);
  const sample = {
    kind: "memory",
    atMs: Date.now(),
    node: target.number,
    process,
    threads,
    ...counters,
  } as const;
  file.add(sample);
  return sample;
}

export async function readQuiet(target: SoakTarget, when: QuietSample["when"]): Promise<QuietSample> {
  const { process, threads } = await readNode(target);
  const resources = threads.reduce((sum, thread) => sum + thread.resources, 0);
  return { kind: "quiet", atMs: Date.now(), node: target.number, when, process, resources };
}

/** The inspector is asked anew each time, so that what it keeps for a client is not counted as the node's. */
async function readNode(target: SoakTarget) {
  const pid = target.processId();
  if (pid === undefined) throw new Error(`node ${target.number} is gone`);
  const inspector = await Inspector.connect(target.inspectorPort);
  try {
    const threads = await inspector.readThreads();
    return { process: readProcess(pid), threads };
  } finally {
    inspector.close();
  }
}

type Counters = Pick<MemorySample, "emptySlots" | "lateVotes" | "finalityLagSlots">;

async function readCounters(url: string): Promise<Counters> {
  const text = await (await fetch(url, { signal: AbortSignal.timeout(MEMORY_EVERY_MS) })).text();
  const counterOf = (name: string) =>
    Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  return {
    emptySlots: counterOf("jurat_slots_without_block_total"),
    lateVotes: counterOf("jurat_votes_late_total"),
    finalityLagSlots: counterOf("jurat_finality_lag_slots"),
  };
}

function lineOf({ node, process, threads, emptySlots, lateVotes, finalityLagSlots }: MemorySample): string {
  const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const heaps = threads.map(
    ({ thread, heapBytes, externalBytes }) => `${thread} ${megabytes(heapBytes + externalBytes)}`,
  );
  return `node ${node}  rss ${megabytes(process.residentBytes)} MiB  ${heaps.join("  ")}  files ${process.openFiles}  empty slots ${emptySlots}  late votes ${lateVotes}  lag ${finalityLagSlots}`;
}
