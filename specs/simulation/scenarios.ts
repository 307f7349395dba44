/** All scenarios of the simulator by name. See specs/simulation/scenarios.md. */
import { ATTACK_SCENARIOS } from "./attack-scenarios.ts";
import { HONEST_SCENARIOS } from "./honest-scenarios.ts";
import type { Scenario, Size } from "./plan.ts";
import { PROOF_SCENARIOS } from "./proof-scenarios.ts";
import { type Run, simulate } from "./simulation.ts";
import type { Switch } from "./simulator-params.ts";
import { STAKE_SCENARIOS } from "./stake-scenarios.ts";
import { TABLE_SCENARIOS } from "./table-scenarios.ts";
import { searchTrees } from "./tree-search.ts";
import { searchVotes } from "./vote-search.ts";

/** Something that a seed decides and that must hold; plays without one rule when asked to. */
export type Runner = {
  readonly summary: string;
  run(seed: number, size: Size, mutation: Switch): Run;
  /** Things that go wrong in it, each of which a smaller run may leave out. */
  countParts(seed: number): number;
};

function toRunners(scenarios: Readonly<Record<string, Scenario>>): Readonly<Record<string, Runner>> {
  return Object.fromEntries(
    Object.entries(scenarios).map(([name, scenario]): [string, Runner] => [
      name,
      {
        summary: scenario.summary,
        run: (seed, size, mutation) => simulate(scenario, seed, size, mutation),
        countParts: (seed) => scenario.plan(seed, {}).parts.length,
      },
    ]),
  );
}

export const RUNNERS: Readonly<Record<string, Runner>> = {
  ...toRunners({ ...HONEST_SCENARIOS, ...ATTACK_SCENARIOS, ...PROOF_SCENARIOS, ...STAKE_SCENARIOS }),
  "vote-search": {
    summary: "random votes on two real chains: no conflicting finality without an offence",
    run: searchVotes,
    countParts: () => 0,
  },
  "tree-search": {
    summary: "random block trees, votes, boosts and proofs: the head is the naive rule's",
    run: searchTrees,
    countParts: () => 0,
  },
};

/** Those of the table, which campaigns leave out. */
const CASES = toRunners(TABLE_SCENARIOS);

/** @throws when there is no scenario of this name. */
export function runnerOf(name: string): Runner {
  const runner = RUNNERS[name] ?? CASES[name];
  if (runner !== undefined) return runner;
  throw new Error(`no scenario ${name}: there are ${Object.keys(RUNNERS).join(", ")}`);
}
