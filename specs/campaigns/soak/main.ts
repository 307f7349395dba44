/** `npm run test:soak -- --hours 1`: four nodes under mixed load, watched for leaks and losses. See specs/campaigns/soak/soak.md. */
import "../../../node/polyfill.ts";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installNativeBackends } from "../../../node/native/install.ts";
import { createSampleFile, readSamples, type Sample } from "./samples.ts";
import { playSoak } from "./soak.ts";
import { renderSoak } from "./table.ts";
import { verdictOf } from "./verdict.ts";

const MS_PER_HOUR = 3_600_000;

function print(samples: readonly Sample[]): boolean {
  const verdict = verdictOf(samples);
  for (const line of renderSoak(verdict)) console.log(line);
  return verdict.faults.length === 0;
}

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    nodes: { type: "string", default: "4" },
    "slot-seconds": { type: "string", default: "1" },
    "base-port": { type: "string", default: "22600" },
    samples: { type: "string" },
    report: { type: "string" },
  },
});
if (values.report !== undefined) process.exit(print(readSamples(values.report)) ? 0 : 1);
const hours = Number(values.hours);
if (!(hours > 0)) throw new Error("--hours takes a positive number, such as 1 or 0.05");
await installNativeBackends();
const dir = mkdtempSync(join(tmpdir(), "jurat-soak-"));
const file = createSampleFile(values.samples ?? join(dir, "samples.jsonl"));
console.log(`samples: ${file.path}`);
const interrupted = new AbortController();
process.once("SIGINT", () => {
  console.log("stopping: the load ends, the last figures are taken; again to stop at once");
  process.once("SIGINT", () => process.exit(print(file.samples) ? 0 : 1));
  interrupted.abort();
});
await playSoak({
  dir: join(dir, "net"),
  basePort: Number(values["base-port"]),
  nodes: Number(values.nodes),
  slotSeconds: Number(values["slot-seconds"]),
  seed: Number(values.seed),
  durationMs: hours * MS_PER_HOUR,
  file,
  signal: interrupted.signal,
  print: console.log,
});
process.exit(print(file.samples) ? 0 : 1);
