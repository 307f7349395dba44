/** One seed of one scenario, run twice, and shrunk when it fails: what a worker of a campaign does. */
import { mutantOf } from "./mutants.ts";
import type { Size } from "./plan.ts";
import { runnerOf } from "./scenarios.ts";
import type { Run } from "./simulation.ts";
import { invariantOf } from "./violation.ts";

export type Job = {
  readonly scenario: string;
  readonly seed: number;
  readonly size: Size;
  readonly mutant?: string | undefined;
  /** Whether a failure is made as small as possible. */
  readonly isShrunk: boolean;
};

export type Failure = { readonly invariant: number; readonly message: string; readonly replay: string };

export type Outcome = Pick<Job, "scenario" | "seed" | "mutant"> & {
  readonly finalitySlots: readonly number[];
  readonly orphans: number;
  readonly slashed: number;
  readonly checks: number;
  readonly finding: string;
  readonly hash: string;
  readonly failure: Failure | undefined;
};

/** Runs that shrinking may take. */
const SHRINKING_RUNS = 24;
const FEWEST_NODES = 4;

export function runJob(job: Job): Outcome {
  const { scenario, seed, mutant, size } = job;
  const named = { scenario, seed, mutant };
  try {
    const first = playInAnyOrder(job, size);
    if (play(job, size).hash !== first.hash) throw new Error("the same seed gave two different runs");
    const { finalitySlots, orphans, slashed, checks, finding, hash } = first;
    return {
      ...named,
      finalitySlots,
      orphans,
      slashed: slashed.length,
      checks,
      finding,
      hash,
      failure: undefined,
    };
  } catch (error) {
    const invariant = invariantOf(error);
    const smallest = job.isShrunk ? shrink(job, invariant) : size;
    const message =
      error instanceof Error
        ? invariant === 0
          ? (error.stack ?? error.message)
          : error.message
        : String(error);
    const failure = { invariant, message, replay: replayCommand(job, smallest) };
    return { ...named, finalitySlots: [], orphans: 0, slashed: 0, checks: 0, finding: "", hash: "", failure };
  }
}

function play({ scenario, seed, mutant }: Job, size: Size): Run {
  return runnerOf(scenario).run(seed, size, mutant === undefined ? {} : mutantOf(mutant));
}

function playInAnyOrder(job: Job, size: Size): Run {
  const run = play(job, size);
  run.checkInputOrder();
  return run;
}

/** The smallest size found at which the same invariant breaks: fewer parts, then fewer nodes, then fewer slots. */
function shrink(job: Job, invariant: number): Size {
  let runs = 0;
  const stillFails = (size: Size): boolean => {
    if (runs++ >= SHRINKING_RUNS) return false;
    try {
      playInAnyOrder(job, size);
      return false;
    } catch (error) {
      return invariantOf(error) === invariant;
    }
  };
  let smallest = job.size;
  for (let part = 0; part < runnerOf(job.scenario).countParts(job.seed); part++) {
    const smaller = { ...smallest, without: [...(smallest.without ?? []), part] };
    if (stillFails(smaller)) smallest = smaller;
  }
  for (let nodes = FEWEST_NODES; nodes < MOST_NODES; nodes++) {
    if (!stillFails({ ...smallest, nodes })) continue;
    smallest = { ...smallest, nodes };
    break;
  }
  for (const slots of [10, 16, 24, 32, 48]) {
    if (!stillFails({ ...smallest, slots })) continue;
    smallest = { ...smallest, slots };
    break;
  }
  return smallest;
}

const MOST_NODES = 12;

/** The one line that repeats a run. */
export function replayCommand({ scenario, seed, mutant }: Job, { nodes, slots, without }: Size): string {
  const flags = [
    ["--scenario", scenario.includes(" ") ? `"${scenario}"` : scenario],
    ["--seed", seed],
    ["--mutant", mutant],
    ["--nodes", nodes],
    ["--slots", slots],
    ["--without", without?.length ? without.join() : undefined],
  ].filter(([, value]) => value !== undefined);
  return ["npm run simulate --", ...flags.flat()].join(" ");
}
