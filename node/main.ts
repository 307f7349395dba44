#!/usr/bin/env node
/** jurat: the validator node. */
import "./polyfill.ts";
import { CommanderError } from "commander";
import type { SaveConfig } from "./checkpoint/save-command.ts";
import type { NodeConfig } from "./config.ts";
import type { DbActions } from "./db/db-config.ts";
import type { DevConfig } from "./dev/dev-config.ts";
import type { CheckConfig, MakeConfig } from "./genesis/genesis-config.ts";
import { createProgram } from "./program.ts";
import { ignoreClosedPipes } from "./quiet-pipes.ts";
import type { InterchangeActions } from "./validator/interchange-config.ts";

const WRONG_FLAG = 2;

/** Loads the node only to run one: help and a wrong flag answer at once. */
async function run(config: NodeConfig): Promise<void> {
  const { runNode } = await import("./node.ts");
  await runNode(config);
}

async function dev(config: DevConfig): Promise<void> {
  const { runDev } = await import("./dev/dev-node.ts");
  await runDev(config);
}

const genesisActions = {
  make: async (config: MakeConfig) => (await import("./genesis/genesis-command.ts")).runGenesisMake(config),
  check: async (config: CheckConfig) =>
    (await import("./genesis/genesis-command.ts")).runGenesisCheck(config),
};

const interchange: InterchangeActions = {
  import: async (config) => (await import("./validator/interchange-command.ts")).importInterchange(config),
  export: async (config) => (await import("./validator/interchange-command.ts")).exportInterchange(config),
};

async function saveCheckpoint(config: SaveConfig): Promise<void> {
  await (await import("./checkpoint/save-checkpoint.ts")).saveCheckpoint(config);
}

const dbCommand = () => import("./db/db-command.ts");
const dbActions: DbActions = {
  inspect: async (config) => (await dbCommand()).runInspect(config),
  verify: async (config) => (await dbCommand()).runVerify(config),
  prune: async (config) => (await dbCommand()).runPrune(config),
  export: async (config) => (await dbCommand()).runExport(config),
  import: async (config) => (await dbCommand()).runImport(config),
};

/** What went wrong, in a sentence for an operator, or with its stack when it is our mistake. */
async function exitCodeOf(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_FLAG;
  const { describeStartFailure } = await import("./start-failure.ts");
  const { message, exitCode } = describeStartFailure(error);
  process.stderr.write(`jurat: ${message}\n`);
  return exitCode;
}

ignoreClosedPipes();

const program = createProgram({
  environment: process.env,
  run,
  dev,
  genesis: genesisActions,
  saveCheckpoint,
  interchange,
  db: dbActions,
  signer: async (config) => (await import("./signer/signer-command.ts")).runSigner(config),
});

program.parseAsync(process.argv).catch(async (error: unknown) => {
  process.exit(await exitCodeOf(error));
});
