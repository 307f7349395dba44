/** The commands of jurat-wallet. Only their descriptions load here; what they do loads when one is run. */
import { Command } from "commander";
import { VERSION } from "../primitives/version.ts";
import { addCastWords } from "./cast-words.ts";
import { addAccountCommands } from "./commands/accounts.ts";
import { addAuthorCommands } from "./commands/authors.ts";
import { addCodingCommands } from "./commands/coding.ts";
import { addProfileCommands } from "./commands/profile.ts";
import { addReadCommands } from "./commands/reads.ts";
import { addSettingsCommands } from "./commands/settings.ts";
import { addStakingCommands } from "./commands/staking.ts";
import { addWriteCommands } from "./commands/writes.ts";

export function createProgram(): Command {
  const program = new Command("jurat-wallet")
    .description("Keys, transfers and contracts on a Jurat network (or any Ethereum JSON-RPC).")
    .version(VERSION, "-V, --version", "show the version")
    .showHelpAfterError("(--help shows the flags)")
    .addHelpText(
      "after",
      `
Accounts are named dev:0 to dev:9 (public test keys), by their keystore or contact name, or by address.
Exit codes: 0 done, 1 failed, 2 wrong use, 3 no node answers, 4 reverted or refused, 5 key or password, 6 declined,
7 not found, 8 a file is missing, damaged or locked, 130 stopped by Ctrl-C.

Examples:
  $ jurat-wallet balance dev:0
  $ jurat-wallet send dev:1 --value 1.5jur --from dev:0
  $ jurat-wallet deploy contracts/examples/token.ts --args "Token" TKN 1000000 --from dev:0
  $ jurat-wallet init my-contract`,
    );
  program.commandsGroup("Transactions:");
  addWriteCommands(program);
  program.commandsGroup("Questions:");
  addReadCommands(program);
  program.commandsGroup("Validators:");
  addStakingCommands(program);
  program.commandsGroup("Writing contracts:");
  addAuthorCommands(program);
  addProfileCommands(program);
  program.commandsGroup("Accounts:");
  addAccountCommands(program);
  addAccountCommands(
    program.command("wallet").alias("w").description("the same account commands, as cast groups them"),
  );
  program.commandsGroup("ABI:");
  addCodingCommands(program);
  program.commandsGroup("Settings:");
  addSettingsCommands(program);
  addCastWords(program);
  throwInsteadOfExit(program);
  return program;
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}
