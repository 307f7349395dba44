#!/usr/bin/env node
/** jurat-wallet: keys, transfers, deploys, calls. Data on stdout, everything else on stderr. See specs/wallet/wallet.md. */
import { Command, CommanderError } from "commander";
import { BaseError } from "viem";
import { addAccountCommands } from "./commands/accounts.ts";
import { addReadCommands } from "./commands/reads.ts";
import { addWriteCommands } from "./commands/writes.ts";
import { isUnreachable } from "./node-client.ts";
import { note } from "./output.ts";
import { EXIT_CODES, WalletError } from "./wallet-error.ts";

function createProgram(): Command {
  const program = new Command("jurat-wallet")
    .description("Keys, transfers and contracts on a Jurat network (or any Ethereum JSON-RPC).")
    .showHelpAfterError("(--help shows the flags)")
    .addHelpText(
      "after",
      `
Accounts are named dev:0 to dev:9 (public test keys), by their keystore name, or by address.
Exit codes: 0 done, 1 failed, 2 wrong use, 3 no node answers, 4 reverted or refused, 5 key or password, 6 declined.`,
    );
  addAccountCommands(program);
  addReadCommands(program);
  addWriteCommands(program);
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}

/** The exit code; what the user can act on is said in a sentence, without a stack trace. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  if (error instanceof WalletError) {
    note(`jurat-wallet: ${error.message}`);
    return EXIT_CODES[error.kind];
  }
  if (isUnreachable(error)) {
    note("jurat-wallet: the node stopped answering");
    return EXIT_CODES.unreachable;
  }
  if (error instanceof BaseError) {
    note(`jurat-wallet: ${error.details || error.shortMessage}`);
    return EXIT_CODES.failure;
  }
  note(`jurat-wallet: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  return EXIT_CODES.failure;
}

createProgram()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    process.exitCode = report(error);
  });
