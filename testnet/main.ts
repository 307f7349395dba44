#!/usr/bin/env node
/** jurat-testnet: a real network of several node processes on one machine. See specs/testnet/testnet.md. */
import { OtherChainError } from "./network-files.ts";
import { NetworkParamsError } from "./network-params.ts";
import { NodeFailedError } from "./node-process.ts";
import { CommanderError, parseTestnetOptions } from "./options.ts";
import { PortInUseError } from "./ports.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { runTestnet } from "./run-testnet.ts";
import { runScenarios, type ScenarioReport, scenarioTable } from "./scenarios/run-scenarios.ts";

const EXIT_CODES = { failure: 1, wrongFlag: 2, portInUse: 3, otherChain: 4 } as const;

const KNOWN_ERRORS = [
  [PortInUseError, EXIT_CODES.portInUse],
  [OtherChainError, EXIT_CODES.otherChain],
  [NetworkParamsError, EXIT_CODES.wrongFlag],
  [NodeFailedError, EXIT_CODES.failure],
] as const;

async function main(argv: readonly string[]): Promise<number> {
  // The first signal stops the nodes in order; more of them are ignored, since stopping ends by itself.
  const stopRequested = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
    // Whoever read our output is gone (`| head`): nobody watches any more.
    process.stdout.on("error", () => resolve());
  });
  const options = parseTestnetOptions(argv);
  const kind = options.json ? "json" : process.stdout.isTTY ? "terminal" : "lines";
  const reporter = createReporter(kind, () => performance.now() / 1000);
  if (options.scenario.length > 0) {
    return runScenarios(options, options.scenario, scenarioReport(reporter, options.json), stopRequested);
  }
  return runTestnet(options, reporter, stopRequested);
}

/** Steps as they come; at the end a table, or for programs a line per scenario. */
function scenarioReport(reporter: Reporter, isJson: boolean): ScenarioReport {
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  return {
    step: reporter.step,
    result(result) {
      if (isJson) print(JSON.stringify({ type: "scenario", ...result }));
      else reporter.step(`${result.scenario}: ${result.passed ? "pass" : `FAIL, ${result.reason}`}`);
    },
    table(results) {
      reporter.close();
      if (!isJson) print(scenarioTable(results));
    },
  };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.wrongFlag;
  // What the user can mend is said in a sentence; a stack trace is for our own mistakes.
  const known = KNOWN_ERRORS.find(([kind]) => error instanceof kind);
  if (known !== undefined) {
    process.stderr.write(`jurat-testnet: ${(error as Error).message}\n`);
    return known[1];
  }
  process.stderr.write(`jurat-testnet: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  return EXIT_CODES.failure;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = exitCodeOf(error);
  },
);
