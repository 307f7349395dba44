/** specs/simulation/simulation.md: networks of real engines keep the invariants and become final in time. */
import { installNativeBackends } from "../../node/native/install.ts";
import { runTwice } from "./run-twice.ts";
import { finalityQuantile, SCENARIOS } from "./scenarios.ts";

/** Slots a run takes here; the command line runs longer ones and more seeds. */
const SLOTS = 60;
const SEEDS = [1, 2];

describe("simulation", () => {
  before(installNativeBackends);

  for (const name of Object.keys(SCENARIOS)) {
    for (const seed of SEEDS) {
      it(`${name}, seed ${seed}: ${SCENARIOS[name]!(SLOTS).summary}`, function () {
        this.timeout(0);
        const report = runTwice(name, seed, SLOTS);
        const [p50, p95] = [0.5, 0.95].map((q) => finalityQuantile(report, q).toFixed(2));
        console.log(`      finality p50 ${p50}, p95 ${p95} slots; ${report.checks} checks`);
      });
    }
  }
});
