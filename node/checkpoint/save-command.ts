/** `jurat checkpoint`: saves a checkpoint to a file. See specs/node/checkpoint-sync.md#the-file. */
import type { Command } from "commander";
import { addCheckpointFlags, type CheckpointConfig, checkCheckpointFlags } from "./checkpoint-flags.ts";

export type SaveConfig = CheckpointConfig & { readonly chainSpec: string; readonly out: string };

export function addCheckpointCommand(program: Command, save: (config: SaveConfig) => Promise<void>): void {
  const command = program
    .command("checkpoint")
    .description("save the finalized checkpoint of running nodes to a file that a new node can begin with")
    .requiredOption("--chain-spec <file>", "JSON that defines the chain")
    .requiredOption("--out <file>", "file to write");
  addCheckpointFlags(command);
  command.addHelpText(
    "after",
    `
Examples:
  $ jurat checkpoint --chain-spec chain.json --checkpoint-url http://a:5052 http://b:5052 --out now.checkpoint
  $ jurat run --dir ./node --chain-spec chain.json --checkpoint-file now.checkpoint --bootstrap …`,
  );
  command.action(async (config: SaveConfig) => {
    checkCheckpointFlags(config, command);
    await save(config);
  });
}
