/** specs/simulation/simulation.md: networks of real engines keep the invariants, and a missing rule is noticed. */
import { equal, match, ok, throws } from "node:assert/strict";
import { ALL_RULES } from "../../consensus/rules.ts";
import { installNativeBackends } from "../../node/native/install.ts";
import { type Job, runJob } from "./job.ts";
import { MUTANTS } from "./mutants.ts";
import type { Size } from "./plan.ts";
import { runnerOf } from "./scenarios.ts";

/** A few short ones; the command line runs all of them, longer and on more seeds. */
const RUNS: readonly (readonly [scenario: string, seed: number, size?: Size])[] = [
  ["crashes", 11],
  ["chaos", 7],
  ["chained-proofs", 1],
  ["stakes", 3],
  ["spam", 2],
  ["twins-meet", 1],
  ["links 100 to 600 ms", 1, { slots: 24, nodes: 8 }],
];

/** Mutant, scenario, seed, and the invariant that must break. */
const KILLS: readonly (readonly [mutant: string, scenario: string, seed: number, invariant: number])[] = [
  ["surround", "vote-search", 1, 1],
  ["justified-source", "vote-search", 2, 1],
  ["gap", "vote-search", 1, 4],
  ["span", "vote-search", 1, 4],
  ["pay-once", "spam", 2, 14],
  ["whistleblower", "stakes", 3, 6],
  ["watermark", "crashes", 11, 3],
];

const job = (scenario: string, seed: number, more: Partial<Job> = {}): Job => ({
  ...{ scenario, seed, size: {}, isShrunk: false },
  ...more,
});

describe("simulation", function () {
  this.timeout(0);
  before(installNativeBackends);

  for (const [scenario, seed, size = {}] of RUNS) {
    it(`${scenario}, seed ${seed}: ${runnerOf(scenario).summary}`, () => {
      const { failure, finding, checks } = runJob(job(scenario, seed, { size }));
      equal(failure, undefined);
      ok(checks > 100);
      console.log(`      ${finding}; ${checks} checks`);
    });
  }

  it("finds no conflicting votes without an offence (the control of the mutants below)", () => {
    equal(runJob(job("vote-search", 1)).failure, undefined);
  });

  for (const [mutant, scenario, seed, invariant] of KILLS) {
    it(`notices that this rule is off: ${MUTANTS[mutant]!.rule}`, () => {
      const { failure } = runJob(job(scenario, seed, { mutant }));
      equal(failure?.invariant, invariant, failure?.message);
      equal(failure?.replay, `npm run simulate -- --scenario ${scenario} --seed ${seed} --mutant ${mutant}`);
    });
  }

  it("makes a failing run smaller as long as the same invariant breaks, and prints how to repeat it", () => {
    const whole = job("spam", 2, { mutant: "pay-once", isShrunk: true });
    const { failure } = runJob(whole);
    equal(failure?.invariant, 14);
    match(
      failure!.replay,
      /^npm run simulate -- --scenario spam --seed 2 --mutant pay-once --nodes \d+ --slots \d+/,
    );
    const size = {
      nodes: numberAfter("nodes", failure!.replay),
      slots: numberAfter("slots", failure!.replay),
    };
    ok(size.slots < 56, failure!.replay);
    const without = partsIn(failure!.replay);
    ok(without.length > 0 && without.every((part) => part < 2), failure!.replay);
    equal(runJob({ ...whole, size: { ...size, without }, isShrunk: false }).failure?.invariant, 14);
  });

  it("has a mutant for every rule that has a name", () => {
    const off = new Set(Object.values(MUTANTS).map((mutant) => mutant.off));
    for (const name of Object.keys(ALL_RULES)) ok(off.has(name as keyof typeof ALL_RULES), name);
  });

  it("has the scenarios that its mutants are looked for in", () => {
    for (const { scenarios } of Object.values(MUTANTS)) for (const name of scenarios) runnerOf(name);
    throws(() => runnerOf("no such"), /no scenario no such: there are good-links/);
  });
});

function numberAfter(flag: string, command: string): number {
  return Number(new RegExp(`--${flag} (\\d+)`).exec(command)?.[1]);
}

function partsIn(command: string): readonly number[] {
  return (/--without ([\d,]+)/.exec(command)?.[1] ?? "").split(",").filter(Boolean).map(Number);
}
