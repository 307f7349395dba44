/** The flags of `jurat genesis make` and `jurat genesis check`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { PRESETS, type PresetName } from "../../consensus/presets.ts";
import { parseAddress } from "../../primitives/address.ts";
import type { Address } from "../../primitives/bytes.ts";
import { wholeNumber } from "../whole-number.ts";

/** Interop keys are public: more of them than a test needs would be a mistake. */
const INTEROP_VALIDATORS_LIMIT = 100_000;
const CHAIN_ID_LIMIT = 2 ** 32;
const STAKE_LIMIT_COINS = 1_000_000;

export type GenesisTime = { readonly atSeconds: number } | { readonly inSeconds: number };

export type MakeConfig = {
  readonly preset: PresetName;
  readonly name: string;
  readonly chainId: number;
  readonly genesisTime: GenesisTime;
  readonly slotSeconds?: number;
  readonly forks?: string;
  readonly validators?: string;
  readonly interopValidators?: number;
  readonly withdrawalAddress?: Address;
  readonly stake: number;
  readonly alloc?: string;
  readonly devAccounts: boolean;
  readonly out?: string;
};

export type CheckConfig = { readonly file: string; readonly json: boolean };

export type GenesisActions = {
  make(config: MakeConfig): Promise<void>;
  check(config: CheckConfig): Promise<void>;
};

/** Adds `genesis` to the program. */
export function addGenesisCommand(program: Command, actions: GenesisActions): void {
  const genesis = program.command("genesis").description("make or check the chain spec a chain begins with");
  addMake(genesis, actions);
  addCheck(genesis, actions);
}

function addMake(genesis: Command, actions: GenesisActions): void {
  const make = genesis
    .command("make")
    .description("write a chain spec; equal flags give equal bytes")
    .addOption(new Option("--preset <name>", "parameters").choices(Object.keys(PRESETS)).default("devnet"))
    .option("--name <text>", "what people call the chain", "jurat-chain")
    .requiredOption(
      "--chain-id <id>",
      "EIP-155 chain id, also the network id",
      wholeNumber(1, CHAIN_ID_LIMIT),
    )
    .requiredOption(
      "--genesis-time <when>",
      "Unix seconds, a date such as 2027-01-01T00:00:00Z, or +300",
      when,
    )
    .option("--slot-seconds <seconds>", "duration of a slot instead of the preset's", wholeNumber(1, 60))
    .option("--forks <file>", "JSON list of {version, firstPeriod, slotsPerEpoch?} instead of the preset's")
    .option("--validators <file>", "JSON list of {publicKey, withdrawalAddress, amountGwei}")
    .option(
      "--interop-validators <count>",
      "so many well-known development keys as validators: for tests only",
      wholeNumber(1, INTEROP_VALIDATORS_LIMIT),
    )
    .option(
      "--withdrawal-address <address>",
      "where the stake of --interop-validators is paid out to",
      address,
    )
    .option("--stake <coins>", "stake of each of --interop-validators", wholeNumber(1, STAKE_LIMIT_COINS), 32)
    .option("--alloc <file>", "JSON object of accounts, as in the chain spec")
    .option("--dev-accounts", "fund the ten public test accounts: for tests only", false)
    .option("--out <file>", "file to write; without it the chain spec goes to standard output")
    .addHelpText("after", MAKE_EXAMPLES);
  make.action(async (flags: MakeConfig) => {
    checkTogether(flags, make);
    await actions.make(flags);
  });
}

const MAKE_EXAMPLES = `
Examples:
  $ jurat genesis make --chain-id 8701 --genesis-time +120 --interop-validators 4 \\
      --withdrawal-address 0x… --dev-accounts --out chain.json
  $ jurat genesis make --preset public --name mainnet --chain-id 8702 --genesis-time 2027-01-01T00:00:00Z \\
      --validators validators.json --alloc accounts.json --out chain.json

The system contracts (deposits, exits, beacon roots, block hashes, multicall, CREATE2 deployer) are always included.`;

function addCheck(genesis: Command, actions: GenesisActions): void {
  genesis
    .command("check <file>")
    .description("check a chain spec and print the roots its chain begins with")
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExit code 3 when the file is no chain spec: each wrong field is named.")
    .action(async (file: string, flags: Omit<CheckConfig, "file">) => {
      await actions.check({ file, ...flags });
    });
}

/** Rules between flags. */
function checkTogether(flags: MakeConfig, make: Command): void {
  if ((flags.validators === undefined) === (flags.interopValidators === undefined)) {
    make.error("error: a chain needs validators: give --validators or --interop-validators, one of them");
  }
  if (flags.interopValidators !== undefined && flags.withdrawalAddress === undefined) {
    make.error("error: --interop-validators needs --withdrawal-address: stake is paid out to it");
  }
}

function when(text: string): GenesisTime {
  const [, delay] = /^\+(\d{1,9})$/.exec(text) ?? [];
  if (delay !== undefined) return { inSeconds: Number(delay) };
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (!Number.isSafeInteger(seconds) || seconds <= 0) {
    throw new InvalidArgumentError("expected Unix seconds, a date to the second, or + and seconds from now.");
  }
  return { atSeconds: seconds };
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new InvalidArgumentError("expected an address.");
  return parsed;
}
