/** Runs one mixed program many times and prints what it saw: one line when all runs agree. specs/vm/engine/engine.md#determinism */
import { toHex } from "../../../primitives/bytes.ts";
import { sha256 } from "../../../primitives/hash.ts";
import type { RunResult } from "../../../vm/engine/host.ts";
import { encodeDelta } from "../../../vm/engine/snapshot.ts";
import { EVALUATION_TICKS, noHost, specEngine } from "./guest-programs.ts";

const SOURCE = `
  import { host } from "chain:std";
  const programs = {
    work(seed) {
      const map = new Map(), record = {};
      for (let i = 0; i < 150; i++) { const key = "k" + (i * seed) % 97; map.set(key, (map.get(key) ?? 0) + i); record[key] = [i, key + i] }
      const weak = new WeakMap(); weak.set(record, [1]);
      const sorted = [...map.entries()].sort((a, b) => (a[0] < b[0] ? -1 : 1));
      let total = 0; for (const match of Object.keys(record).join().matchAll(/k(\\d+)/g)) total += Number(match[1]);
      for (let i = 0; i < 40; i++) { const cycle = { i }; cycle.self = cycle; new Array(10).fill(cycle) }
      return JSON.stringify([sorted, total, String(3n ** 200n % 1000007n), Math.sin(seed), seed ** 0.3, Math.tan(1e10), 0 / 0, host(1, "é" + seed)]);
    },
    spin() { for (;;); },
    deep() { return programs.deep() },
    hog() { const a = []; for (;;) a.push(new Uint8Array(1e6)) },
    missing() { return null.x },
  };
  export default (argument) => programs[argument](7);
`;
const ENDS = ["spin", "deep", "hog", "missing"];
const TICKS = 30_000_000;

const engine = specEngine();
const instance = engine.createInstance();
instance.evaluateModule(SOURCE, EVALUATION_TICKS, noHost);
const contract = instance.takeSnapshot();

function run(program: string): RunResult {
  instance.restore(contract);
  return instance.call("call", program, TICKS, (_operation, args) => `${args.text(0)}!`);
}

const seen = new Set<string>();
const runs = Number(process.argv[2]);
for (let i = 0; i < runs; i++) {
  // Every other run follows one that ended badly, and must not notice.
  const ends = i % 20 === 0 ? ENDS.map((program) => JSON.stringify(run(program))).join() : "";
  const work = JSON.stringify(run("work"));
  const memory = i % 10 === 0 ? toHex(sha256(encodeDelta(instance.takeSnapshot()))) : "";
  for (const line of [ends, work, memory]) if (line !== "") seen.add(line);
}
process.stdout.write(JSON.stringify([engine.id, ...seen]));
