#!/usr/bin/env node
/** jurat-wallet, packed into main.js by the build: keys, transfers, deploys, calls. Data on stdout, everything else on stderr. See specs/wallet/wallet.md. */
import { CommanderError } from "commander";
import { note } from "./output.ts";
import { createProgram } from "./program.ts";
import { BeaconRefusal, EXIT_CODES, NodeRefusal, WalletError } from "./wallet-error.ts";

/** The exit code; what the user can act on is said in a sentence, without a stack trace. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  if (error instanceof WalletError) {
    note(`jurat-wallet: ${error.message}`);
    return EXIT_CODES[error.kind];
  }
  if (error instanceof NodeRefusal || error instanceof BeaconRefusal) {
    note(`jurat-wallet: the node says: ${error.message}`);
    return EXIT_CODES.failure;
  }
  note(`jurat-wallet: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  return EXIT_CODES.failure;
}

// A reader that has seen enough (head, less) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

createProgram()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    process.exitCode = report(error);
  });
