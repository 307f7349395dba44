/** The flags of `jurat slashing-protection import` and `export`. */
import { type Command, InvalidArgumentError } from "commander";
import type { Hex } from "../../primitives/bytes.ts";

type ChainFlags = { readonly dir: string; readonly chainSpec: string };
export type ImportConfig = ChainFlags & { readonly file: string };
export type ExportConfig = ChainFlags & { readonly out?: string; readonly keys: readonly Hex[] };

export type InterchangeActions = {
  readonly import: (config: ImportConfig) => Promise<void>;
  readonly export: (config: ExportConfig) => Promise<void>;
};

export function addInterchangeCommand(program: Command, actions: InterchangeActions): void {
  const group = program
    .command("slashing-protection")
    .description(
      "move what validator keys have signed from or to another client (EIP-3076); the node is stopped",
    );
  const withChain = (command: Command) =>
    command
      .requiredOption("--dir <path>", "the node's folder")
      .requiredOption("--chain-spec <file>", "JSON that defines the chain");
  withChain(group.command("import <file>"))
    .description("take over what other clients signed with these keys; nothing is ever forgotten by it")
    .action(async (file: string, flags: ChainFlags) => actions.import({ file, ...flags }));
  withChain(group.command("export"))
    .description("write the latest messages of the keys, as a minimal interchange file")
    .option("--out <file>", "file to write; without it standard output")
    .option("--keys <keys...>", "only these public keys", collect, [])
    .addHelpText(
      "after",
      `
Once a key's history is exported, the key must not sign here any more: what it signs later is not in the file.`,
    )
    .action(async (flags: ExportConfig) => actions.export(flags));
}

function collect(text: string, before: readonly Hex[]): readonly Hex[] {
  if (!/^0x[0-9a-fA-F]{96}$/.test(text))
    throw new InvalidArgumentError("expected a public key, 48 bytes of hex.");
  return [...before, text.toLowerCase() as Hex];
}
