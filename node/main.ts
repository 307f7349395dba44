#!/usr/bin/env node
/** jurat: the validator node. */
import "./polyfill.ts";
import { Command, CommanderError } from "commander";
import { CodedError } from "../primitives/errors.ts";
import { ChainSpecError } from "./chain-spec.ts";
import { addRunCommand, type NodeConfig } from "./config.ts";
import { addDevCommand, type DevConfig } from "./dev/dev-config.ts";

const EXIT_CODES = { failure: 1, usage: 2, refused: 3 } as const;

/** Loads the node only to run one: help and a wrong flag answer at once. */
async function run(config: NodeConfig): Promise<void> {
  const { runNode } = await import("./node.ts");
  await runNode(config);
}

async function dev(config: DevConfig): Promise<void> {
  const { runDev } = await import("./dev/dev-node.ts");
  await runDev(config);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  if (error instanceof ChainSpecError || error instanceof CodedError || isSystemError(error)) {
    process.stderr.write(`jurat: ${(error as Error).message}\n`);
    return EXIT_CODES.refused;
  }
  process.stderr.write(`jurat: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  return EXIT_CODES.failure;
}

/** A file that cannot be read, a port in use: the world's fault, with a message that names it. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

const program = new Command("jurat")
  .description("A proof-of-stake Ethereum node whose contracts are TypeScript.")
  .showHelpAfterError("(--help shows the flags)")
  .exitOverride();
addRunCommand(program, run);
addDevCommand(program, dev);
for (const command of program.commands) command.exitOverride();

program.parseAsync(process.argv).catch((error: unknown) => {
  process.exit(exitCodeOf(error));
});
