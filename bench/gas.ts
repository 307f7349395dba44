#!/usr/bin/env node
/** npm run bench:gas [-- --search CANDIDATES --seed SEED | --cold]: what time a gas takes, by program. See specs/vm/gas.md#calibration. */
import "../node/polyfill.ts";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { installNativeBackends } from "../node/native/install.ts";
import { TICKS_PER_GAS } from "../vm/contract/host-gas.ts";
import { BLOCK_GAS, coldBlocks } from "./cold-contracts.ts";
import { CALL_GAS, PRECOMPILE_INPUTS, timePrecompile } from "./gas-precompiles.ts";
import { GAS_PROGRAMS } from "./gas-programs.ts";
import { type GasTime, NANOSECONDS_PER_GAS, prepare, timeProgram } from "./gas-run.ts";
import { searchWorst } from "./gas-search.ts";
import { WORST_PROGRAM } from "./worst-program.ts";

const GAS = 150_000;
const RUNS = 24;
const WARM_UP_MS = 12_000;

const { values } = parseArgs({
  options: { search: { type: "string" }, seed: { type: "string" }, cold: { type: "boolean" } },
});
await installNativeBackends();
console.log(`Node ${process.version}, ${cpus()[0]?.model}; the least of ${RUNS} runs of ${GAS} gas`);
warmUp();

if (values.cold === true) await printCold();
else if (values.search !== undefined) {
  const { seed, candidates, nanosecondsPerGas, program } = searchWorst(
    Number(values.seed ?? 1),
    Number(values.search),
  );
  console.log(
    `\nworst of ${candidates} with seed ${seed}: ${nanosecondsPerGas.toFixed(1)} ns a gas\n${program.body}`,
  );
} else {
  const times = GAS_PROGRAMS.map((program) => ({ name: program.name, ...timeProgram(program, GAS, RUNS) }));
  const sorted = times.toSorted((a, b) => b.nanosecondsPerGas - a.nanosecondsPerGas);
  for (const { name, nanosecondsPerGas, result } of sorted) {
    console.log(`${name.padEnd(34)}${nanosecondsPerGas.toFixed(1).padStart(7)} ns a gas   ${result.outcome}`);
  }
  printRegression(times.filter(({ name }) => !name.startsWith("host:")));
  const [most, least] = [sorted[0]!, sorted.at(-1)!];
  const spread = most.nanosecondsPerGas / least.nanosecondsPerGas;
  console.log(
    `spread: ${spread.toFixed(1)} between "${most.name}" and "${least.name}" of ${times.length} programs`,
  );
}
if (values.cold !== true) {
  if (values.search === undefined) {
    printPrecompiles();
    await printCold();
  }
  printWorst();
}

/** Until V8 has compiled the engine with its better compiler. */
function warmUp(): void {
  const end = performance.now() + WARM_UP_MS;
  for (const program of GAS_PROGRAMS) if (performance.now() < end) timeProgram(program, 2 * GAS, 1);
}

/** Time as a multiple of ticks, by least squares through the origin, and how far programs are from it. */
function printRegression(times: readonly GasTime[]): void {
  let products = 0;
  let squares = 0;
  for (const { seconds, result } of times) {
    const ticks = result.gasUsed * TICKS_PER_GAS;
    products += ticks * seconds;
    squares += ticks * ticks;
  }
  const slope = products / squares;
  const deviations = times.map(({ seconds, result }) => seconds / (slope * result.gasUsed * TICKS_PER_GAS));
  const [low, high] = [Math.min(...deviations), Math.max(...deviations)];
  console.log(
    `\nregression over ${times.length} programs of the guest: a tick is ${(slope * 1e9).toFixed(3)} ns, ` +
      `a gas ${(slope * 1e9 * TICKS_PER_GAS).toFixed(1)} ns; programs take ${low.toFixed(2)} to ${high.toFixed(2)} of that`,
  );
}

/** What a transaction or a contract pays to call one is part of its price. */
function printPrecompiles(): void {
  const times = PRECOMPILE_INPUTS.map(([number, name, data]) => ({
    name,
    time: timePrecompile(number, data, CALL_GAS),
  })).toSorted((a, b) => b.time - a.time);
  console.log(
    `\nprecompiles, each with the ${CALL_GAS} gas of its call: the five dearest of ${times.length} inputs`,
  );
  for (const { name, time } of times.slice(0, 5)) {
    console.log(`${name.padEnd(34)}${time.toFixed(1).padStart(7)} ns a gas`);
  }
}

/** Blocks that load from disk whatever they touch. */
async function printCold(): Promise<void> {
  console.log("\nblocks of 30 M gas that call contracts of which none is in memory");
  for (const { name, contracts, seconds } of await coldBlocks()) {
    const nanoseconds = ((seconds * 1e9) / BLOCK_GAS).toFixed(1).padStart(7);
    console.log(`${name.padEnd(34)}${nanoseconds} ns a gas   ${contracts} in ${seconds.toFixed(3)} s`);
  }
}

function printWorst(): void {
  const run = prepare(WORST_PROGRAM);
  for (let i = 0; i < 4; i++) run(GAS);
  const seconds = Array.from({ length: 200 }, () => run(GAS).seconds);
  const before = process.cpuUsage();
  run(BLOCK_GAS);
  const { user, system } = process.cpuUsage(before);
  const limit = (BLOCK_GAS * NANOSECONDS_PER_GAS) / 1e9;
  console.log(
    `the worst program committed (${WORST_PROGRAM.name}), 30 M gas: ` +
      `${((Math.min(...seconds) * BLOCK_GAS) / GAS).toFixed(3)} s by its least of ${seconds.length} runs, ` +
      `${((user + system) / 1e6).toFixed(3)} s of processor time at once; half of a slot is ${limit.toFixed(3)} s`,
  );
}
