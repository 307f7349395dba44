/** `npm run simulate -- --table`: the figures of specs/simulation/results.md. */
import { formatTable, runJobs } from "./campaign.ts";
import { quantile } from "./findings.ts";
import type { Outcome } from "./job.ts";
import { TABLE_SCENARIOS } from "./table-scenarios.ts";

/** Runs each case on some seeds and prints one line per case. @returns whether all demands are met. */
export async function printTable(firstSeed: number, seeds: number, workers: number): Promise<boolean> {
  const names = Object.keys(TABLE_SCENARIOS);
  const outcomes: Outcome[] = [];
  const jobs = names.flatMap((scenario) =>
    Array.from({ length: Math.max(seeds, TABLE_SCENARIOS[scenario]!.seeds ?? 0) }, (_, index) => ({
      scenario,
      seed: firstSeed + index,
      size: {},
      isShrunk: false,
    })),
  );
  await runJobs(jobs, workers, (outcome) => {
    outcomes.push(outcome);
    const { scenario, finding, failure } = outcome;
    console.error(`${scenario}: ${failure?.message ?? finding}`);
    return [];
  });
  const rows = names.map((name) =>
    rowOf(
      name,
      outcomes.filter(({ scenario }) => scenario === name),
    ),
  );
  console.log(formatTable([["case", "p50", "p95", "max", "orphans", "must", "found"], ...rows]));
  const slow = names.filter((name) => isSlow(name, outcomes));
  for (const name of slow) console.log(`${name}: half of the blocks take longer than they may`);
  return slow.length === 0 && outcomes.every(({ failure }) => failure === undefined);
}

/** Blocks of all seeds together: one run has too few for a median to be its own. */
function isSlow(name: string, outcomes: readonly Outcome[]): boolean {
  const slots = outcomes
    .filter(({ scenario }) => scenario === name)
    .flatMap(({ finalitySlots }) => finalitySlots);
  const { p50 } = TABLE_SCENARIOS[name]!;
  return p50 !== undefined && quantile(slots, 0.5) > p50;
}

function rowOf(name: string, runs: readonly Outcome[]): string[] {
  const slots = runs.flatMap(({ finalitySlots }) => finalitySlots);
  const shown = (q: number): string => (slots.length === 0 ? "-" : quantile(slots, q).toFixed(2));
  const orphans = runs.reduce((sum, run) => sum + run.orphans, 0);
  const [first] = runs;
  const found = runs.find(({ failure }) => failure !== undefined)?.failure?.message ?? first?.finding ?? "";
  const must = TABLE_SCENARIOS[name]!.summary;
  return [name, shown(0.5), shown(0.95), shown(1), String(orphans), must.replace(/^\d+ of .*: /, ""), found];
}
