/** specs/simulation/simulation.md: networks of real engines keep the invariants and become final in time. */
import { installNativeBackends } from "../../node/native/install.ts";
import { runTwice } from "./run-twice.ts";
import { finalityQuantile, SCENARIOS } from "./scenarios.ts";

/** Length of each run; the command line runs longer ones and more seeds. */
const SLOTS: Readonly<Record<string, number>> = {
  "good-links": 60,
  sleepers: 80,
  // The halves part for 64 slots: more than one period, and more than sync goes back at first.
  partition: 160,
  crashes: 100,
};
const SEED = 11;

describe("simulation", () => {
  before(installNativeBackends);

  for (const [name, slots] of Object.entries(SLOTS)) {
    it(`${name}: ${SCENARIOS[name]!(slots).summary}`, function () {
      this.timeout(0);
      const report = runTwice(name, SEED, slots);
      const [p50, p95] = [0.5, 0.95].map((q) => finalityQuantile(report, q).toFixed(2));
      console.log(`      ${report.finding}; p50 ${p50}, p95 ${p95} slots; ${report.checks} checks`);
    });
  }
});
