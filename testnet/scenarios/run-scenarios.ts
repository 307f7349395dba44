/** Runs scenarios one after the other, each on a network of its own, and ends with a table. See specs/testnet/scenarios.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { prepareNetwork } from "../network-files.ts";
import type { TestnetOptions } from "../options.ts";
import { assertPortsFree } from "../ports.ts";
import { callFlood } from "./call-flood-scenario.ts";
import { finalizes, lateJoiner, partition, rollingRestart, thirdStopped } from "./finality-scenarios.ts";
import { load } from "./load-scenario.ts";
import { type Scenario, ScenarioFailure } from "./scenario.ts";
import { startScenarioNetwork } from "./scenario-network.ts";
import { slashing } from "./slashing-scenario.ts";
import { deposit, exit } from "./staking-scenarios.ts";

const SCENARIOS: readonly Scenario[] = [
  finalizes,
  thirdStopped,
  partition,
  slashing,
  lateJoiner,
  rollingRestart,
  load,
  callFlood,
  deposit,
  exit,
];

/** Between the start of the processes and genesis. */
const GENESIS_DELAY_SECONDS = 3;

export type ScenarioResult = {
  readonly scenario: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly reason: string;
};

export type ScenarioReport = {
  step(text: string): void;
  result(result: ScenarioResult): void;
  table(results: readonly ScenarioResult[]): void;
};

/** @returns the exit code: 0 when all passed. @throws ScenarioFailure for one that needs more nodes. */
export async function runScenarios(
  options: TestnetOptions,
  names: readonly string[],
  report: ScenarioReport,
  stopRequested: Promise<void>,
): Promise<number> {
  const chosen = SCENARIOS.filter(({ name }) => names.includes("all") || names.includes(name));
  const results: ScenarioResult[] = [];
  let isStopped = false;
  void stopRequested.then(() => {
    isStopped = true;
  });
  for (const scenario of chosen) {
    if (isStopped) break;
    const result = await runScenario(options, scenario, report, stopRequested);
    report.result(result);
    results.push(result);
  }
  report.table(results);
  return results.length === chosen.length && results.every(({ passed }) => passed) ? 0 : 1;
}

async function runScenario(
  options: TestnetOptions,
  scenario: Scenario,
  report: ScenarioReport,
  stopRequested: Promise<void>,
): Promise<ScenarioResult> {
  const startMs = performance.now();
  const ended = (passed: boolean, reason: string): ScenarioResult => {
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    return { scenario: scenario.name, passed, seconds, reason };
  };
  if (options.nodes < scenario.minimumNodes) return ended(false, `needs ${scenario.minimumNodes} nodes`);
  report.step(`${scenario.name}: ${scenario.summary}`);
  const root = mkdtempSync(join(tmpdir(), "jurat-scenario-"));
  const dir = join(root, scenario.name);
  // One process more than nodes, for who joins or signs twice.
  await assertPortsFree(options.basePort, options.nodes + 1);
  const genesisTime = Math.ceil(Date.now() / 1000) + GENESIS_DELAY_SECONDS;
  const allocation = readSystemAllocation();
  const { specPath } = prepareNetwork({ ...options, dir }, genesisTime, allocation, scenario.preset);
  const note = (text: string) => report.step(`  ${text}`);
  const network = await startScenarioNetwork({ ...options, dir, explorer: false }, specPath, note);
  try {
    const stopped = stopRequested.then(() => {
      throw new ScenarioFailure("stopped");
    });
    await Promise.race([scenario.run(network), stopped]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return ended(false, `${reason} (logs in ${dir})`);
  } finally {
    await network.close();
  }
  rmSync(root, { recursive: true, force: true });
  return ended(true, "");
}

/** Name, verdict, seconds, and why. */
export function scenarioTable(results: readonly ScenarioResult[]): string {
  const rows = results.map(({ scenario, passed, seconds, reason }) =>
    `  ${scenario.padEnd(16)} ${passed ? "pass" : "FAIL"} ${seconds.toFixed(1).padStart(8)} s  ${reason}`.trimEnd(),
  );
  const failed = results.filter(({ passed }) => !passed).length;
  return [
    "",
    "  scenario         result     time",
    ...rows,
    "",
    `  ${results.length} run, ${failed} failed`,
  ].join("\n");
}
