/** `staking key | deposit | exit | withdraw | status | rewards`: what a validator's owner does. */
import { type Command, Option } from "commander";
import type { BeaconFlags } from "../beacon-client.ts";
import { DEFAULT_VALIDATOR_KEY_FOLDER } from "../defaults.ts";
import {
  amount,
  type CommitFlags,
  count,
  type KeyFlags,
  type NodeFlags,
  type OutputFlags,
  withCommit,
  withKeys,
  withNode,
  withOutput,
} from "../options.ts";

export type ValidatorKeyFlags = { readonly keyPasswordFile?: string };
export type CreateKeyFlags = OutputFlags &
  ValidatorKeyFlags & {
    readonly out: string;
    readonly mnemonicFile?: string;
    readonly mnemonicPassphraseFile?: string;
    readonly mnemonicIndex?: number;
  };
export type DepositFlags = CommitFlags &
  BeaconFlags &
  ValidatorKeyFlags & {
    readonly amount?: bigint;
    readonly withdrawalAccount?: string;
    readonly compounding: boolean;
  };
export type LeaveFlags = CommitFlags & BeaconFlags & ValidatorKeyFlags;
export type WithdrawFlags = LeaveFlags & { readonly amount: bigint };
export type StatusFlags = OutputFlags &
  NodeFlags &
  KeyFlags &
  BeaconFlags &
  ValidatorKeyFlags & { readonly withdrawalAccount?: string; readonly limit: number };
export type RewardFlags = OutputFlags & NodeFlags & BeaconFlags & ValidatorKeyFlags;

const loadWrites = () => import("../actions/staking-writes.ts");
const loadReads = () => import("../actions/staking-reads.ts");
const VALIDATOR = "its index, its public key, a key file (EIP-2335), or interop:N of a development network";

export function addStakingCommands(program: Command): void {
  const staking = program.command("staking").description("validators: deposits, exits, status, rewards");
  addKey(staking);
  addDeposit(staking);
  addLeaving(staking);
  addReads(staking);
}

function withBeacon(command: Command): Command {
  return command.addOption(
    new Option("--beacon-url <url>", "beacon API; the node and the settings know it, as a rule").env(
      "JURAT_BEACON_URL",
    ),
  );
}

function amountOption(description: string): Option {
  return new Option("--amount <amount>", `${description}, as 32jur`).argParser(amount);
}

function withValidatorKey(command: Command): Command {
  return command.option("--key-password-file <file>", "password of the validator's key file");
}

function addKey(staking: Command): void {
  withValidatorKey(withOutput(staking.command("key")))
    .description("make a validator key: an encrypted file as jurat run --keystores reads it")
    .option("--out <folder>", "where the file is put", DEFAULT_VALIDATOR_KEY_FOLDER)
    .option(
      "--mnemonic-file <file>",
      "derive it of these words (EIP-2333), instead of at random; - reads standard input",
    )
    .option("--mnemonic-passphrase-file <file>", "file with BIP-39's extra passphrase")
    .option("--mnemonic-index <n>", "which validator of the words: m/12381/3600/n/0/0; 0 unless given", count)
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet staking key --out ./keys --key-password-file ./password
  $ jurat-wallet staking key --out ./keys --mnemonic-file words.txt --mnemonic-index 3`,
    )
    .action(async (flags: CreateKeyFlags) => (await loadWrites()).createKey(flags));
}

function addDeposit(staking: Command): void {
  withValidatorKey(withBeacon(withCommit(staking.command("deposit"))))
    .description("put stake on a validator: a new one, or one that exists")
    .argument(
      "<key>",
      "a key file (EIP-2335), interop:N, or a deposit_data file of Ethereum's staking-deposit-cli",
    )
    .addOption(amountOption("stake; a deposit_data file has its own"))
    .option("--withdrawal-account <account>", "who gets the stake back; the sender unless it is given")
    .option("--no-compounding", "pay rewards out, instead of adding them to the stake")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet staking deposit ./keys/0x8f3a….json --amount 32jur --from alice
  $ jurat-wallet staking deposit interop:9 --amount 32jur --from dev:3
  $ jurat-wallet staking deposit deposit_data-1700000000.json --from alice --dry-run`,
    )
    .action(async (key: string, flags: DepositFlags) => (await loadWrites()).deposit(key, flags));
}

function addLeaving(staking: Command): void {
  withValidatorKey(withBeacon(withCommit(staking.command("exit"))))
    .description("leave for good: signed by the validator's key, or asked for by its withdrawal account")
    .argument("<validator>", VALIDATOR)
    .addHelpText(
      "after",
      `
With a key file or interop:N the exit is signed by the validator's key and costs nothing; otherwise the account in its
withdrawal credentials (--from) asks for it in a transaction.

Examples:
  $ jurat-wallet staking exit ./keys/0x8f3a….json
  $ jurat-wallet staking exit 4 --from alice`,
    )
    .action(async (validator: string, flags: LeaveFlags) => (await loadWrites()).exit(validator, flags));

  withValidatorKey(withBeacon(withCommit(staking.command("withdraw"))))
    .description("take out a part of a compounding stake above 32 coins, as its withdrawal account")
    .argument("<validator>", VALIDATOR)
    .addOption(amountOption("how much").makeOptionMandatory())
    .addHelpText("after", "\nExample:\n  $ jurat-wallet staking withdraw 4 --amount 10jur --from alice")
    .action(async (validator: string, flags: WithdrawFlags) =>
      (await loadWrites()).withdraw(validator, flags),
    );
}

function addReads(staking: Command): void {
  const asking = (name: string) => withValidatorKey(withBeacon(withNode(withOutput(staking.command(name)))));
  withKeys(asking("status"))
    .description("where validators stand: active, waiting, leaving, and since when")
    .argument("[validators...]", VALIDATOR)
    .option("--withdrawal-account <account>", "those whose stake goes back to this account")
    .option("--limit <count>", "most validators shown", count, 50)
    .addHelpText(
      "after",
      "\nExamples:\n  $ jurat-wallet staking status 4\n  $ jurat-wallet staking status --withdrawal-account alice --json",
    )
    .action(async (validators: string[], flags: StatusFlags) =>
      (await loadReads()).status(validators, flags),
    );
  asking("rewards")
    .description("what validators earned, in all and lately")
    .argument("<validators...>", VALIDATOR)
    .addHelpText("after", "\nExample:\n  $ jurat-wallet staking rewards 4 5")
    .action(async (validators: string[], flags: RewardFlags) =>
      (await loadReads()).rewards(validators, flags),
    );
}
