/** What a soak notes down: one JSON line each in a file, so that a run that is cut off can still be read. */
import { appendFileSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ThreadReading } from "./inspector.ts";

/** A process as the kernel sees it. */
export type ProcessReading = {
  readonly residentBytes: number;
  /** Without mapped files: the database's pages come and go with the page cache. */
  readonly anonymousBytes: number;
  readonly openFiles: number;
  readonly sockets: number;
  readonly osThreads: number;
};

export type MemorySample = {
  readonly kind: "memory";
  readonly atMs: number;
  readonly node: number;
  readonly process: ProcessReading;
  readonly threads: readonly ThreadReading[];
  /** Slots without a block, and votes that were not there at the end of their slot, as this node counted them. */
  readonly emptySlots: number;
  readonly lateVotes: number;
  readonly finalityLagSlots: number;
};

export type LagSample = {
  readonly kind: "lag";
  readonly atMs: number;
  readonly node: number;
  readonly finalityLagSlots: number;
};

/** Open files and sockets without load, before it began and after it ended. */
export type QuietSample = {
  readonly kind: "quiet";
  readonly atMs: number;
  readonly node: number;
  readonly when: "before" | "after";
  readonly process: ProcessReading;
  readonly resources: number;
};

/** What is known at the end only. */
export type ClosingSample = {
  readonly kind: "closing";
  readonly slots: number;
  readonly blocks: number;
  readonly votesDue: number;
  readonly votesMissing: number;
  readonly done: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
  /** One sentence each. */
  readonly losses: readonly string[];
};

export type StartSample = { readonly kind: "start"; readonly atMs: number; readonly warmUpMs: number };

export type Sample = StartSample | MemorySample | LagSample | QuietSample | ClosingSample;

export type SampleFile = { readonly path: string; readonly samples: Sample[]; add(sample: Sample): void };

export function createSampleFile(path: string): SampleFile {
  const samples: Sample[] = [];
  return {
    path,
    samples,
    add(sample) {
      samples.push(sample);
      appendFileSync(path, `${JSON.stringify(sample)}\n`);
    },
  };
}

/** A last line that was cut off is left out. */
export function readSamples(path: string): readonly Sample[] {
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Sample);
}

/** Linux only. @throws when the process is gone. */
export function readProcess(pid: number): ProcessReading {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return {
    residentBytes: kilobytes("VmRSS"),
    anonymousBytes: kilobytes("RssAnon"),
    openFiles: targets.length,
    sockets: targets.filter((target) => target.startsWith("socket:")).length,
    osThreads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/** A file may be closed between listing and looking. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
