/** Flags that several commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_KEY_FOLDER } from "./key-folder.ts";
import { DEFAULT_RPC_URL } from "./node-client.ts";

export type KeyFlags = { readonly keystore: string; readonly passwordFile?: string };
export type NodeFlags = { readonly rpcUrl: string };
export type OutputFlags = { readonly json: boolean };
export type WriteFlags = KeyFlags &
  NodeFlags &
  OutputFlags & {
    readonly from: string;
    readonly yes: boolean;
    readonly async: boolean;
    readonly confirmations: number | "finalized";
  };

export function withOutput(command: Command): Command {
  return command.option("--json", "print JSON", false);
}

export function withKeys(command: Command): Command {
  return command
    .option("--keystore <folder>", "folder of keystore files", DEFAULT_KEY_FOLDER)
    .option("--password-file <file>", "read the password from a file instead of asking");
}

export function withNode(command: Command): Command {
  return command.addOption(
    new Option("--rpc-url <url>", "JSON-RPC of a node").env("ETH_RPC_URL").default(DEFAULT_RPC_URL),
  );
}

export function withWrite(command: Command): Command {
  return withOutput(withNode(withKeys(command)))
    .requiredOption("--from <account>", "dev:0 to dev:9, or a name or address of the keystore folder")
    .option("-y, --yes", "do not ask", false)
    .option("--async", "do not wait for the block", false)
    .option("--confirmations <n|finalized>", "how long to wait", confirmations, 1);
}

function confirmations(text: string): number | "finalized" {
  if (text === "finalized") return text;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1, or finalized.");
}
