/** `send`, `deploy`, `batch`, and offline signing with `mktx` and `publish`: what changes the chain. */
import type { Command } from "commander";
import {
  type AbiFlags,
  count,
  type FollowFlags,
  type NodeFlags,
  type OutputFlags,
  type SenderFlags,
  type TermFlags,
  type WriteFlags,
  withAbi,
  withFollow,
  withNode,
  withOutput,
  withSender,
  withTerms,
  withWrite,
} from "../options.ts";

export type SendFlags = WriteFlags & { readonly data?: string };
export type DeployFlags = WriteFlags & { readonly args: readonly string[]; readonly record: boolean };
export type MakeFlags = OutputFlags &
  NodeFlags &
  SenderFlags &
  AbiFlags &
  TermFlags & {
    readonly chain?: number;
    readonly data?: string;
    readonly create?: string;
    readonly args: readonly string[];
  };
export type PublishFlags = OutputFlags & NodeFlags & FollowFlags;

const load = () => import("../actions/writes.ts");
const loadOffline = () => import("../actions/offline.ts");
const FUNCTION = 'as "transfer(address,uint256)"; its name is enough when the ABI is known';

export function addWriteCommands(program: Command): void {
  addSend(program);
  addDeploy(program);
  addBatch(program);
  addOffline(program);
}

function addSend(program: Command): void {
  withWrite(program.command("send"))
    .alias("send-call")
    .description("send value, or call a function of a contract in a transaction")
    .argument("<to>", "address, dev:N, contact, keystore name, or a name of the deployments file")
    .argument("[function]", FUNCTION)
    .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
    .option("--data <hex>", "instead of a function")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet send dev:1 --value 1.5jur --from dev:0
  $ jurat-wallet send 0x5FbD…0aa3 "transfer(address,uint256)" dev:1 100 --from dev:0 --confirmations finalized
  $ jurat-wallet send Token transfer dev:1 100 --from dev:0 --dry-run`,
    )
    .action(async (to: string, item: string | undefined, texts: string[], flags: SendFlags) =>
      (await load()).send(to, item, texts, flags),
    );
}

function addDeploy(program: Command): void {
  withWrite(program.command("deploy"))
    .description("build and deploy a TypeScript contract, or deploy a built artifact")
    .argument("<file>", "contract.ts or artifact.json")
    .option("--args <values...>", "constructor arguments; arrays as [1,2], tuples as (1,true), or JSON", [])
    .option("--no-record", "do not write the deployments file")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet deploy contracts/examples/token.ts --args "Token" TKN 1000000 --from dev:0
  $ jurat-wallet deploy Token.json --args "Token" TKN 1000000 --from alice --confirmations finalized`,
    )
    .action(async (file: string, flags: DeployFlags) => (await load()).deploy(file, flags));
}

function addBatch(program: Command): void {
  withWrite(program.command("batch"))
    .description("send every line of a CSV file, with one preview and one question")
    .argument(
      "<file>",
      "header to,value and optionally function,arguments (a JSON array); - reads standard input",
    )
    .addHelpText(
      "after",
      `
A batch that was interrupted goes on when the same command is given again; nobody is paid twice.

Examples:
  $ jurat-wallet batch payroll.csv --from alice --dry-run
  $ printf 'to,value\\ndev:1,1jur\\ndev:2,2jur\\n' | jurat-wallet batch - --from dev:0 --yes`,
    )
    .action(async (file: string, flags: WriteFlags) =>
      (await import("../actions/batch.ts")).batch(file, flags),
    );
}

function addOffline(program: Command): void {
  withTerms(withAbi(withSender(withNode(withOutput(program.command("mktx"))))))
    .description("sign a transaction without sending it; a node is asked only for what is not given")
    .argument("[to]", "as for send; none with --create")
    .argument("[function]", FUNCTION)
    .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
    .option("--chain <id>", "chain id; with --nonce, --gas-limit and --gas-price no node is asked", count)
    .option("--create <file>", "deploy a contract.ts or artifact.json instead")
    .option("--args <values...>", "constructor arguments for --create", [])
    .option("--data <hex>", "instead of a function")
    .addHelpText(
      "after",
      `
Example, the first step on a computer without network:
  $ jurat-wallet mktx 0x7099…79C8 --value 1jur --from alice --chain 8700 --nonce 0 --gas-limit 21000 --gas-price 2gwei > raw
  $ jurat-wallet publish "$(cat raw)"`,
    )
    .action(async (to: string | undefined, item: string | undefined, texts: string[], flags: MakeFlags) =>
      (await loadOffline()).makeTransaction(to, item, texts, flags),
    );

  withFollow(withNode(withOutput(program.command("publish"))))
    .description("send a transaction that was signed before")
    .argument("<raw>", "signed transaction as hex; - reads standard input")
    .addHelpText("after", '\nExample:\n  $ jurat-wallet publish "$(cat raw)" --confirmations finalized')
    .action(async (raw: string, flags: PublishFlags) => (await loadOffline()).publish(raw, flags));
}
