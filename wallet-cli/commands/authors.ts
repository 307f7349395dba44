/** `init` and `build`: what an author of contracts does before there is a chain. */
import type { Command } from "commander";
import { type OutputFlags, withOutput } from "../options.ts";

export type BuildFlags = OutputFlags & {
  readonly out: string;
  readonly against?: string;
  readonly allowLayoutChange: boolean;
  readonly typeCheck: boolean;
};

export function addAuthorCommands(program: Command): void {
  withOutput(program.command("init"))
    .description("begin a contract: a folder with one, a spec with viem and a script that deploys it")
    .argument("<folder>", "to be made; its name is the package's")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx jurat-wallet init my-contract && cd my-contract && npm install && npm test",
    )
    .action(async (folder: string, flags: OutputFlags) =>
      (await import("../actions/init.ts")).init(folder, flags),
    );

  withOutput(program.command("build"))
    .description("build contracts: types, unsupported features and storage layout are checked")
    .argument("[files...]", "contracts, or folders of them (default: contracts)")
    .option("-o, --out <folder>", "where Name.json and Name.abi.ts go", "artifacts")
    .option(
      "--against <artifact>",
      "the storage must fit that of this artifact, and not that of the last build",
    )
    .option(
      "--allow-layout-change",
      "the storage may differ: no deployed contract takes this code over",
      false,
    )
    .option("--no-type-check", "leave the TypeScript compiler out")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet build
  $ jurat-wallet build contracts/token.ts --out build
  $ jurat-wallet build contracts/token-v2.ts --against deployed/Token.json`,
    )
    .action(async (files: string[], flags: BuildFlags) =>
      (await import("../actions/build.ts")).build(files, flags),
    );
}
