/** `npm run simulate`: seeds, mutants and the table of the simulator from the command line. See specs/simulation/simulation.md#command. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runJobs, summaryTable } from "./campaign.ts";
import type { Job, Outcome } from "./job.ts";
import { isKilled, mutantTable, runMutants } from "./mutant-campaign.ts";
import { MUTANTS, mutantOf } from "./mutants.ts";
import { RUNNERS, runnerOf } from "./scenarios.ts";
import { printTable } from "./table.ts";

const USAGE = `npm run simulate -- [options]
  --seeds N       N seeds from --seed on, in turn over all scenarios or those named (default 1 each)
  --seed N        the first seed (default 1)
  --scenario A,B  only these scenarios
  --mutants       plays without each rule in turn; every mutant must be caught (with --seeds, up to N seeds each)
  --mutant NAME   plays without one rule; after --mutants A,B: only these
  --table         the figures of specs/simulation/results.md
  --slots N, --nodes N, --without I,J   a smaller run, as a replay command gives it
  --jobs N        worker processes (default: one per core)
  --list          all scenarios and mutants`;

/** Says what was wrong with the command, and ends. */
function refuse(error: unknown): never {
  console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exit(2);
}

function readFlags() {
  try {
    return parseFlags();
  } catch (error) {
    return refuse(error);
  }
}

const parseFlags = () =>
  parseArgs({
    options: {
      ...{ seeds: { type: "string" }, seed: { type: "string", default: "1" } },
      ...{ scenario: { type: "string" }, mutant: { type: "string" } },
      ...{
        mutants: { type: "boolean" },
        table: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
      ...{
        slots: { type: "string" },
        nodes: { type: "string" },
        without: { type: "string" },
        jobs: { type: "string" },
      },
    },
  }).values;

const values = readFlags();

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) refuse(new Error(`--${name} is ${text}, wanted a whole number`));
  return Number(text);
}

const seeds = wholeNumber("seeds", values.seeds);
const firstSeed = wholeNumber("seed", values.seed) ?? 1;
const workers = Math.max(1, wholeNumber("jobs", values.jobs) ?? availableParallelism());

function jobs(): Job[] {
  const names = values.scenario?.split(",") ?? Object.keys(RUNNERS);
  try {
    for (const name of names) runnerOf(name);
    if (values.mutant !== undefined) mutantOf(values.mutant);
  } catch (error) {
    refuse(error);
  }
  const size = {
    ...{ slots: wholeNumber("slots", values.slots), nodes: wholeNumber("nodes", values.nodes) },
    without: values.without?.split(",").map((part) => wholeNumber("without", part) ?? 0),
  };
  return Array.from({ length: seeds ?? names.length }, (_, index) => ({
    scenario: names[index % names.length]!,
    seed: firstSeed + Math.floor(index / names.length),
    ...{ size, mutant: values.mutant, isShrunk: true },
  }));
}

async function runSeeds(): Promise<void> {
  const outcomes: Outcome[] = [];
  const all = jobs();
  await runJobs(all, workers, (outcome) => {
    outcomes.push(outcome);
    if (all.length > 64 && outcomes.length % 50 === 0)
      console.error(`${outcomes.length} of ${all.length} seeds`);
    const { scenario, seed, failure, finding, hash, checks } = outcome;
    if (failure !== undefined) {
      console.log(`${scenario} seed ${seed}: ${failure.message}\n  again with: ${failure.replay}`);
      process.exitCode = 1;
    } else if (all.length <= 64) {
      console.log(`${scenario} seed ${seed}: ${finding}; ${checks} checks, ${hash.slice(0, 16)}`);
    }
    return [];
  });
  outcomes.sort((a, b) => order.indexOf(a.scenario) - order.indexOf(b.scenario));
  console.log(`\n${summaryTable(outcomes)}`);
}

const order = Object.keys(RUNNERS);

async function runAllMutants(): Promise<void> {
  const names = values.mutant?.split(",") ?? Object.keys(MUTANTS);
  try {
    for (const name of names) mutantOf(name);
  } catch (error) {
    refuse(error);
  }
  const verdicts = await runMutants(names, seeds ?? 12, workers, (verdict) => {
    const { mutant, kill } = verdict;
    console.log(
      `${mutant}: ${isKilled(verdict) ? kill?.failure?.message : (kill?.failure?.message ?? "SURVIVED")}`,
    );
  });
  console.log(`\n${mutantTable(verdicts)}`);
  const killed = verdicts.filter(isKilled).length;
  console.log(`\n${killed} of ${verdicts.length} mutants killed`);
  if (killed < verdicts.length) process.exitCode = 1;
}

async function printFigures(): Promise<void> {
  if (!(await printTable(firstSeed, seeds ?? 2, workers))) process.exitCode = 1;
}

function list(): void {
  for (const [name, { summary }] of Object.entries(RUNNERS)) console.log(`${name.padEnd(20)}${summary}`);
  console.log();
  for (const [name, { rule }] of Object.entries(MUTANTS)) console.log(`${name.padEnd(20)}without: ${rule}`);
}

if (values.help === true) console.log(USAGE);
else if (values.list === true) list();
else if (values.mutants === true) await runAllMutants();
else if (values.table === true) await printFigures();
else await runSeeds();
