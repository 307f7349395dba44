/** Every mutant must break an invariant, where the unmutated protocol breaks none. See specs/simulation/mutants.md. */
import { formatTable, runJobs } from "./campaign.ts";
import type { Job, Outcome } from "./job.ts";
import { MUTANTS } from "./mutants.ts";

export type Verdict = {
  readonly mutant: string;
  /** The first run in which the mutant broke something; undefined when it survived. */
  readonly kill: Outcome | undefined;
  /** The same run with the rule in force. */
  readonly control: Outcome | undefined;
};

/** Tries seeds of each mutant's scenarios in turn until one kills it, then the same seed without the mutation. */
export async function runMutants(
  names: readonly string[],
  seeds: number,
  workers: number,
  onVerdict: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const kills = new Map<string, Outcome>();
  const attemptsOf = (mutant: string): Job[] =>
    Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) =>
      MUTANTS[mutant]!.scenarios.map((scenario) => ({ scenario, seed, size: {}, mutant, isShrunk: false })),
    );
  const left = new Map(names.map((name) => [name, attemptsOf(name)]));
  const first = names.flatMap((name) => left.get(name)!.splice(0, 1));
  const decide = (mutant: string, control: Outcome | undefined): void => {
    const verdict = { mutant, kill: kills.get(mutant), control };
    verdicts.push(verdict);
    onVerdict(verdict);
  };
  /** Controls carry the mutant's name in their place, since jobs and outcomes are plain data. */
  const controls = new Map<string, string[]>();
  await runJobs(first, workers, (outcome) => {
    const { mutant, scenario, seed, failure } = outcome;
    const key = `${scenario} ${seed}`;
    if (mutant === undefined) {
      for (const name of controls.get(key)?.splice(0) ?? []) decide(name, outcome);
      return [];
    }
    if (failure !== undefined) {
      kills.set(mutant, outcome);
      controls.set(key, [...(controls.get(key) ?? []), mutant]);
      return [{ scenario, seed, size: {}, isShrunk: true }];
    }
    const next = left.get(mutant)?.splice(0, 1) ?? [];
    if (next.length === 0) decide(mutant, undefined);
    return next;
  });
  return verdicts;
}

/** Whether the mutant broke an invariant, and the protocol none on the same seed. */
export function isKilled({ kill, control }: Verdict): boolean {
  return (
    kill?.failure !== undefined &&
    kill.failure.invariant > 0 &&
    control !== undefined &&
    control.failure === undefined
  );
}

export function mutantTable(verdicts: readonly Verdict[]): string {
  const order = Object.keys(MUTANTS);
  const sorted = [...verdicts].sort((a, b) => order.indexOf(a.mutant) - order.indexOf(b.mutant));
  return formatTable([
    ["mutant: the rule that is off", "killed by", "control", "again with"],
    ...sorted.map((verdict) => [
      `${verdict.mutant}: ${MUTANTS[verdict.mutant]!.rule}`,
      verdict.kill?.failure === undefined ? "SURVIVED" : `invariant ${verdict.kill.failure.invariant}`,
      verdict.control === undefined ? "-" : verdict.control.failure === undefined ? "passes" : "FAILS",
      verdict.kill?.failure?.replay ?? "-",
    ]),
  ]);
}
