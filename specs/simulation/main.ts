/** `npm run simulate`: runs scenarios of the simulator from the command line. See specs/simulation/simulation.md#command. */
import { parseArgs } from "node:util";
import "../../node/polyfill.ts";
import { installNativeBackends } from "../../node/native/install.ts";
import { runTwice } from "./run-twice.ts";
import { finalityQuantile, SCENARIOS } from "./scenarios.ts";

await installNativeBackends();
const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "all" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    slots: { type: "string", default: "100" },
  },
});
const names = values.scenario === "all" ? Object.keys(SCENARIOS) : [values.scenario];
const [firstSeed, seeds, slots] = [values.seed, values.seeds, values.slots].map(Number) as [
  number,
  number,
  number,
];
for (const name of names) {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    try {
      const report = runTwice(name, seed, slots);
      const [p50, p95] = [0.5, 0.95].map((q) => finalityQuantile(report, q).toFixed(2));
      console.log(
        `${name} seed ${seed}: ${report.finding}; p50 ${p50} p95 ${p95} slots, ${report.blocks} blocks, ` +
          `${report.orphans} orphans, ${report.checks} checks, ${report.hash.slice(0, 16)}`,
      );
    } catch (error) {
      console.log(error);
      process.exitCode = 1;
    }
  }
}
