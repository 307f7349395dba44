import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomStream } from "../../simulation/random-stream.ts";
import { Inspector } from "./inspector.ts";
import type { Sample } from "./samples.ts";
import { createSampleFile, readSamples } from "./samples.ts";
import { slopeOf } from "./slope.ts";
import { renderSoak } from "./table.ts";
import { verdictOf } from "./verdict.ts";

const MIB = 2 ** 20;
const process = { residentBytes: 0, anonymousBytes: 0, openFiles: 40, sockets: 10, osThreads: 9 };

/** An hour of readings of one node whose execution thread grows, on waves and noise. */
function hour({
  growth = 0,
  after = 40,
  lag = 3,
}: {
  growth?: number;
  after?: number;
  lag?: number;
}): readonly Sample[] {
  const random = randomStream(7, "soak");
  const memory = Array.from({ length: 180 }, (_, index): Sample => {
    const wave = 2 * Math.sin(index / 9) + 2 * random.next();
    const heapBytes = (60 + wave + (growth * index) / 180) * MIB;
    const threads = [{ thread: "execution", heapBytes, externalBytes: 0, resources: 3 }];
    const counted = { emptySlots: index >> 5, lateVotes: index >> 4, finalityLagSlots: lag };
    return { kind: "memory", atMs: index * 20_000, node: 1, process, threads, ...counted };
  });
  return [
    { kind: "start", atMs: 0, warmUpMs: 900_000 },
    { kind: "quiet", atMs: 0, node: 1, when: "before", process, resources: 5 },
    ...memory,
    ...[3, 3, 4, 9].map((finalityLagSlots): Sample => ({ kind: "lag", atMs: 0, node: 1, finalityLagSlots })),
    {
      kind: "quiet",
      atMs: 0,
      node: 1,
      when: "after",
      process: { ...process, openFiles: after },
      resources: 5,
    },
  ];
}

describe("the soak's verdict", () => {
  it("is the slope of a straight line, with certainty", () => {
    const points = Array.from({ length: 20 }, (_, index) => ({ atHours: index / 10, value: 5 + index * 3 }));
    const { perHour = 0, atLeastPerHour = 0 } = slopeOf(points) ?? {};
    ok(Math.abs(perHour - 30) < 1e-9 && Math.abs(atLeastPerHour - 30) < 1e-6);
  });

  it("does not take waves for growth", () => {
    deepEqual(verdictOf(hour({})).faults, []);
  });

  it("finds what grows below the waves", () => {
    const [fault = ""] = verdictOf(hour({ growth: 16 })).faults;
    ok(/^node 1: execution grows by 1\d\.\d MiB an hour/.test(fault), fault);
  });

  it("does not judge the warm-up, nor a run that is little more than it", () => {
    const short = hour({ growth: 400 }).filter((sample) => !("atMs" in sample) || sample.atMs < 1_500_000);
    deepEqual(verdictOf(short).faults, []);
    ok(renderSoak(verdictOf(short))[0]?.includes("not judged"));
  });

  it("does not judge a node that keeps what is not final", () => {
    deepEqual(verdictOf(hour({ growth: 16, lag: 65 })).faults, []);
  });

  it("finds handles that stay", () => {
    deepEqual(verdictOf(hour({ after: 49 })).faults, ["node 1: 54 handles after the load, 45 before it"]);
  });

  it("tells lag, slots and votes", () => {
    const [figures] = verdictOf(hour({})).nodes;
    deepEqual(figures?.lag, { p50: 4, p99: 9, max: 9 });
    deepEqual([figures?.emptySlots, figures?.lateVotes], [5, 11]);
  });

  it("is the same from the file, also when its last line was cut off", () => {
    const dir = mkdtempSync(join(tmpdir(), "jurat-soak-spec-"));
    try {
      const file = createSampleFile(join(dir, "samples.jsonl"));
      for (const sample of hour({ growth: 16 })) file.add(sample);
      const whole = verdictOf(file.samples);
      writeFileSync(file.path, '{"kind":"lag","atM', { flag: "a" });
      deepEqual(verdictOf(readSamples(file.path)), whole);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/** Three threads, one below the other; the innermost holds 32 MB in buffers. */
const NESTED = `
import { Worker, workerData } from "node:worker_threads";
const depth = workerData?.depth ?? 0;
if (depth === 2) globalThis.kept = [new ArrayBuffer(32 << 20)];
else new Worker(new URL(import.meta.url), { workerData: { depth: depth + 1 } });
setInterval(() => {}, 1000);
if (depth === 2) console.log("up");`;

describe("the soak's inspector", () => {
  it("reads the heap of every thread of a process, workers of workers too", async () => {
    const dir = mkdtempSync(join(tmpdir(), "jurat-inspector-"));
    const program = join(dir, "call-worker.mjs");
    writeFileSync(program, NESTED);
    const child = spawn(globalThis.process.execPath, ["--inspect=127.0.0.1:0", program]);
    try {
      const [words] = (await once(child.stderr, "data")) as [Buffer];
      await once(child.stdout, "data");
      const port = Number(/127\.0\.0\.1:(\d+)\//.exec(String(words))?.[1]);
      const inspector = await Inspector.connect(port);
      let threads = await inspector.readThreads();
      while (threads.length < 3) threads = await inspector.readThreads();
      inspector.close();
      equal(threads.length, 3);
      equal(threads.filter(({ externalBytes }) => externalBytes > 32 << 20).length, 1);
      ok(threads.every(({ heapBytes, resources }) => heapBytes > MIB && resources > 0));
    } finally {
      child.kill("SIGKILL");
      rmSync(dir, { recursive: true });
    }
  });
});
