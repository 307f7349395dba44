/** Flags that several commands share, named as cast names them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseAmount } from "./amount.ts";
import { refuseSecrets } from "./cast-words.ts";
import { DEFAULT_KEY_FOLDER, DEFAULT_RPC_URL } from "./defaults.ts";
import { WalletError } from "./wallet-error.ts";

export type OutputFlags = { readonly json: boolean };
export type KeyFlags = { readonly keystore: string; readonly passwordFile?: string };
export type NodeFlags = { readonly rpcUrl?: string };
export type SenderFlags = KeyFlags & { readonly from?: string; readonly account?: string };
export type AbiFlags = { readonly deployments: string; readonly abi?: string };
export type ReadFlags = OutputFlags & KeyFlags & NodeFlags & { readonly block: string };
export type CallFlags = ReadFlags &
  SenderFlags &
  AbiFlags & { readonly data?: string; readonly value: bigint };
export type FeeFlags = {
  readonly nonce?: number;
  readonly gasLimit?: bigint;
  readonly gasPrice?: bigint;
  readonly priorityGasPrice?: bigint;
};
export type TermFlags = FeeFlags & { readonly value: bigint };
export type FollowFlags = {
  readonly async: boolean;
  readonly confirmations: number | "finalized";
  readonly timeout?: number;
};
/** Of every transaction. */
export type CommitFlags = OutputFlags &
  NodeFlags &
  SenderFlags &
  FeeFlags &
  FollowFlags & { readonly yes: boolean; readonly dryRun: boolean };
export type WriteFlags = CommitFlags & AbiFlags & { readonly value: bigint };

export function withOutput(command: Command): Command {
  return command.option("--json", "print JSON", false);
}

export function withKeys(command: Command): Command {
  return command
    .addOption(
      new Option("--keystore <folder>", "folder of keystore files")
        .env("ETH_KEYSTORE")
        .default(DEFAULT_KEY_FOLDER),
    )
    .addOption(
      new Option("--password-file <file>", "read the password from a file instead of asking").env(
        "ETH_PASSWORD",
      ),
    );
}

export function withNode(command: Command): Command {
  return command.addOption(
    new Option(
      "-r, --rpc-url <url|network>",
      `JSON-RPC of a node, or a network of the settings (${DEFAULT_RPC_URL} when there are none)`,
    ).env("ETH_RPC_URL"),
  );
}

/** `--from`, and `--account`, which is cast's word for a keystore account. */
export function withSender(command: Command): Command {
  return refuseSecrets(withKeys(command))
    .addOption(
      new Option("-f, --from <account>", "dev:0 to dev:9, or a name or address of the keystore").env(
        "ETH_FROM",
      ),
    )
    .addOption(new Option("--account <name>", "the same").env("ETH_KEYSTORE_ACCOUNT"));
}

/** @throws WalletError (usage) when nobody is named. */
export function senderOf({ from, account }: SenderFlags): string {
  const sender = from ?? account;
  if (sender !== undefined) return sender;
  throw new WalletError("usage", "say whose account: --from dev:0, or a name that jurat-wallet list shows");
}

export function withAbi(command: Command): Command {
  return withDeployments(
    command.option("--abi <file>", "the contract's ABI: an artifact, a JSON ABI or its source"),
  );
}

export function withDeployments(command: Command): Command {
  return command.addOption(
    new Option("--deployments <file>", "where deploy writes and names are looked up")
      .env("JURAT_DEPLOYMENTS")
      .default("deployments.json"),
  );
}

export function withBlock(command: Command): Command {
  return command.option("-B, --block <block>", "latest, safe, finalized, a number or a hash", "latest");
}

export function withTerms(command: Command): Command {
  return withFees(withValue(command));
}

function withFees(command: Command): Command {
  return command
    .option("--nonce <n>", "instead of the next one", count)
    .option("--gas-limit <gas>", "instead of the estimate", (text) => BigInt(count(text)))
    .option("--gas-price <amount>", "highest price of a unit of gas", amount)
    .option("--priority-gas-price <amount>", "what the proposer gets for a unit of gas", amount);
}

export function withValue(command: Command): Command {
  const option = new Option("--value <amount>", "1.5jur, 3gwei, or a number of wei");
  // The default's text is given, because commander would write a BigInt as JSON.
  return command.addOption(option.argParser(amount).default(0n, "0"));
}

export function withFollow(command: Command): Command {
  return command
    .option("--async", "do not wait for the block", false)
    .option("--confirmations <n|finalized>", "how long to wait", confirmations, 1)
    .option("--timeout <seconds>", "give up waiting", count);
}

export function withWrite(command: Command): Command {
  return withCommit(withValue(withAbi(command)));
}

export function withCommit(command: Command): Command {
  return withFollow(withFees(withSender(withNode(withOutput(command)))))
    .option("-y, --yes", "do not ask", false)
    .option("--dry-run", "show what would be sent, and send nothing", false);
}

export function amount(text: string): bigint {
  try {
    return parseAmount(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

export function count(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number.");
}

function confirmations(text: string): number | "finalized" {
  if (text === "finalized") return text;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1, or finalized.");
}
