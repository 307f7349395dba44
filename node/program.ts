/** The commands of jurat. Only their flags load here; what they do loads when one is run. */
import { Command } from "commander";
import { VERSION } from "../primitives/version.ts";
import { addCheckpointCommand, type SaveConfig } from "./checkpoint/save-command.ts";
import { addRunCommand, type NodeConfig } from "./config.ts";
import { addConfigCommand } from "./config-command.ts";
import { addDbCommand, type DbActions } from "./db/db-config.ts";
import { addDevCommand, type DevConfig } from "./dev/dev-config.ts";
import { addGenesisCommand, type GenesisActions } from "./genesis/genesis-config.ts";
import type { Environment } from "./settings.ts";
import { addSignerCommand, type SignerConfig } from "./signer/signer-config.ts";
import { addInterchangeCommand, type InterchangeActions } from "./validator/interchange-config.ts";

export type ProgramActions = {
  readonly environment: Environment;
  readonly run: (config: NodeConfig) => Promise<void>;
  readonly dev: (config: DevConfig) => Promise<void>;
  readonly genesis: GenesisActions;
  readonly saveCheckpoint: (config: SaveConfig) => Promise<void>;
  readonly interchange: InterchangeActions;
  readonly db: DbActions;
  readonly signer: (config: SignerConfig) => Promise<void>;
};

export function createProgram(actions: ProgramActions): Command {
  const { environment, run, dev, genesis, saveCheckpoint, interchange, db, signer } = actions;
  const program = new Command("jurat")
    .description("A proof-of-stake Ethereum node whose contracts are TypeScript.")
    .version(VERSION, "-V, --version", "show the version")
    .showHelpAfterError("(--help shows the flags)")
    .exitOverride();
  addRunCommand(program, environment, run);
  addConfigCommand(program, environment, (text) => void process.stdout.write(text));
  addDevCommand(program, dev);
  addGenesisCommand(program, genesis);
  addCheckpointCommand(program, saveCheckpoint);
  addInterchangeCommand(program, interchange);
  addDbCommand(program, db);
  addSignerCommand(program, signer);
  for (const command of program.commands) {
    command.exitOverride();
    for (const inner of command.commands) inner.exitOverride();
  }
  return program;
}
