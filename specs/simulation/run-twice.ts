/** Every seed is run twice: the same seed must give the same run, step by step. */
import { equal } from "node:assert/strict";
import { SCENARIOS } from "./scenarios.ts";
import { simulate } from "./simulation.ts";

/** @throws an error that names the command which repeats the run. */
export function runTwice(name: string, seed: number, slots: number): ReturnType<typeof simulate> {
  const create = SCENARIOS[name];
  if (create === undefined)
    throw new Error(`no scenario ${name}: there are ${Object.keys(SCENARIOS).join(", ")}`);
  try {
    const report = simulate(create(slots), seed);
    equal(simulate(create(slots), seed).hash, report.hash, "the same seed gives the same run");
    return report;
  } catch (cause) {
    const command = `npm run simulate -- --scenario ${name} --seed ${seed} --slots ${slots}`;
    throw new Error(`${cause instanceof Error ? cause.message : cause}; again with: ${command}`, { cause });
  }
}
