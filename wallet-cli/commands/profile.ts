/** `profile`: gas by TypeScript line. */
import type { Command } from "commander";
import {
  type CallFlags,
  count,
  type NodeFlags,
  type OutputFlags,
  withAbi,
  withNode,
  withOutput,
  withSender,
  withValue,
} from "../options.ts";

export type ProfileFlags = NodeFlags &
  OutputFlags & { readonly out?: string; readonly rows: number; readonly artifact: readonly string[] };
export type ProfileCallFlags = ProfileFlags & Omit<CallFlags, "block">;
export type ProfileRunFlags = ProfileFlags;

const load = () => import("../actions/profile.ts");

export function addProfileCommands(program: Command): void {
  const profile = program
    .command("profile")
    .description("gas by TypeScript line, as a table and a flamegraph");
  withProfile(withValue(withAbi(withSender(profile.command("call")))))
    .description("of a call, as it would run now")
    .argument("<to>", "address, contact, or a name of the deployments file")
    .argument("[function]", 'as "transfer(address,uint256)"; its name is enough when the ABI is known')
    .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
    .option("--data <hex>", "instead of a function")
    .addHelpText(
      "after",
      "\nExample:\n  $ jurat-wallet profile call Token transfer dev:1 5 --from dev:0 --out transfer.speedscope.json",
    )
    .action(async (to: string, item: string | undefined, texts: string[], flags: ProfileCallFlags) =>
      (await load()).profileCall(to, item, texts, flags),
    );
  withProfile(profile.command("tx"))
    .description("of a transaction that was mined")
    .argument("<hash>")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet profile tx 0x83ab… --rows 50")
    .action(async (hash: string, flags: ProfileFlags) => (await load()).profileTransaction(hash, flags));
  withProfile(profile.command("blocks"))
    .description("of all transactions in a range of blocks")
    .argument("<first>")
    .argument("[last]", "the head by default", "latest")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet profile blocks 1 latest --out all.speedscope.json")
    .action(async (first: string, last: string, flags: ProfileFlags) =>
      (await load()).profileBlocks(first, last, flags),
    );
  withProfile(profile.command("run"))
    .description("of all transactions that are mined while a command runs, a test run for example")
    .argument("<command...>", "behind --")
    .addHelpText(
      "after",
      `
The command finds the node's address in RPC_URL and ETH_RPC_URL. Calls and what is taken back by evm_revert are not in
blocks: jurat dev --profile <file> counts them too.

Example:
  $ jurat-wallet profile run --out tests.speedscope.json -- npm test`,
    )
    .action(async (command: string[], flags: ProfileRunFlags) => (await load()).profileRun(command, flags));
}

function withProfile(command: Command): Command {
  return withNode(withOutput(command))
    .option("-o, --out <file>", "write a flamegraph that opens in speedscope")
    .option("--rows <n>", "lines of the table", count, 30)
    .option(
      "--artifact <files...>",
      "artifacts or contracts whose lines are to be named, besides those in artifacts/",
      [],
    );
}
