/** The flags of `jurat db inspect | verify | prune | export | import`. See specs/node/db.md. */
import type { Command } from "commander";
import { wholeNumber } from "../whole-number.ts";

const NUMBER_LIMIT = 2 ** 40;

export type FolderConfig = { readonly dir: string; readonly chainSpec: string };
export type InspectConfig = FolderConfig & { readonly json: boolean };
export type PruneConfig = FolderConfig & { readonly historyBlocks: number };
export type ExportConfig = FolderConfig & {
  readonly out: string;
  readonly first: number;
  /** Undefined: up to the finalized block. */
  readonly last?: number;
};
export type ImportConfig = FolderConfig & { readonly from: string };

export type DbActions = {
  inspect(config: InspectConfig): Promise<void>;
  verify(config: FolderConfig): Promise<void>;
  prune(config: PruneConfig): Promise<void>;
  export(config: ExportConfig): Promise<void>;
  import(config: ImportConfig): Promise<void>;
};

/** Adds `db` to the program. */
export function addDbCommand(program: Command, actions: DbActions): void {
  const db = program.command("db").description("look into a node's folder, check, shrink, copy and fill it");
  command(db, "inspect", "what the folder holds; the node may run")
    .option("--json", "as one JSON object", false)
    .action((config: InspectConfig) => actions.inspect(config));
  command(
    db,
    "verify",
    "build every trie and chain of hashes anew and compare; the node must be stopped",
  ).action((config: FolderConfig) => actions.verify(config));
  command(db, "prune", "remove old states now, and give the room back; the node must be stopped")
    .option("--history-blocks <count>", "states to keep", wholeNumber(0, NUMBER_LIMIT), 90_000)
    .action((config: PruneConfig) => actions.prune(config));
  command(db, "export", "write finalized blocks to files with checksums; the node may run")
    .requiredOption("--out <folder>", "where the files go; files of the same slots are replaced")
    .option("--first <slot>", "first slot", wholeNumber(0, NUMBER_LIMIT), 0)
    .option("--last <slot>", "last slot; the finalized one without it", wholeNumber(0, NUMBER_LIMIT))
    .action((config: ExportConfig) => actions.export(config));
  command(db, "import", "check and execute the blocks of exported files; the node must be stopped")
    .requiredOption("--from <folder>", "where the files are")
    .action((config: ImportConfig) => actions.import(config));
}

function command(db: Command, name: string, description: string): Command {
  return db
    .command(name)
    .description(description)
    .requiredOption("--dir <path>", "the node's folder")
    .requiredOption("--chain-spec <file>", "JSON that defines the chain");
}
