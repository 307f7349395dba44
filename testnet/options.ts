/** The testnet's flags, read and checked before anything is started. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { VERSION } from "../primitives/version.ts";
import { readNetworkParams } from "./network-params.ts";

export const DEFAULT_CHAIN_ID = 8700;
/** Taken by Hardhat, geth --dev and anvil: wallets remember nonces and names for them. */
const RESERVED_CHAIN_IDS: readonly number[] = [1, 1337, 31337];
const MAX_NODES = 64;
const MAX_VALIDATORS_PER_NODE = 256;
/** Ports above this may be taken at any time by outgoing connections (Linux hands out 32768 and up). */
const MAX_BASE_PORT = 30_000;

export type TestnetOptions = {
  readonly nodes: number;
  readonly validatorsPerNode: number;
  readonly slotSeconds: number;
  readonly dir: string;
  readonly reset: boolean;
  readonly basePort: number;
  readonly chainId: number;
  readonly explorer: boolean;
  readonly json: boolean;
  /** Scenarios to run instead of an open-ended network. */
  readonly scenario: readonly string[];
};

export const SCENARIO_NAMES = [
  "finalizes",
  "third-stopped",
  "partition",
  "slashing",
  "late-joiner",
  "rolling-restart",
  "load",
  "call-flood",
  "deposit",
  "exit",
] as const;

function integerBetween(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

function chainId(text: string): number {
  const value = integerBetween(1, 2 ** 31)(text);
  if (RESERVED_CHAIN_IDS.includes(value)) {
    throw new InvalidArgumentError(
      `${value} is taken by other tools; choose another, such as ${DEFAULT_CHAIN_ID}.`,
    );
  }
  return value;
}

/**
 * @throws NetworkParamsError
 * @throws CommanderError for a flag that is unknown or wrong (its message is written to stderr) and for --help.
 */
export function parseTestnetOptions(argv: readonly string[]): TestnetOptions {
  const command = createTestnetCommand();
  command.parse([...argv], { from: "user" });
  const { networkParams, ...options } = command.opts<TestnetOptions & { readonly networkParams?: string }>();
  if (networkParams === undefined) return options;
  // A flag says more than a file: it was typed just now.
  const fromFile = Object.entries(readNetworkParams(networkParams)).filter(
    ([name]) => command.getOptionValueSource(name) !== "cli",
  );
  return { ...options, ...Object.fromEntries(fromFile) };
}

/** All flags, without anything parsed yet. */
export function createTestnetCommand(): Command {
  return new Command("jurat-testnet")
    .description("A real proof-of-stake network of several node processes on this machine.")
    .version(VERSION, "-V, --version", "show the version")
    .option("--nodes <count>", "node processes", integerBetween(1, MAX_NODES), 4)
    .option(
      "--validators-per-node <count>",
      "validator keys of each node",
      integerBetween(1, MAX_VALIDATORS_PER_NODE),
      1,
    )
    .option("--slot-seconds <seconds>", "duration of a slot", integerBetween(1, 12), 1)
    .option("--dir <path>", "where the network keeps its data", ".jurat/testnet")
    .option("--reset", "forget the chain in --dir and start a new one", false)
    .option(
      "--base-port <port>",
      "JSON-RPC port of node 1; node i serves on port + i - 1",
      integerBetween(1024, MAX_BASE_PORT),
      8545,
    )
    .addOption(
      new Option("--chain-id <id>", "chain id of a new chain").argParser(chainId).default(DEFAULT_CHAIN_ID),
    )
    .option("--network-params <file>", "YAML in the shape of ethereum-package: participants, network_params")
    .addOption(
      new Option("--scenario <names...>", "run scenarios, each on a network of its own, and end with a table")
        .choices(["all", ...SCENARIO_NAMES])
        .default([], "none"),
    )
    .option("--no-explorer", "serve no web page beside JSON-RPC")
    .option("--json", "one JSON object per line instead of a table", false)
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-testnet                               four nodes, one validator each, one-second slots
  $ jurat-testnet --nodes 7 --slot-seconds 2    a larger, slower network
  $ jurat-testnet --reset                       start again from genesis
  $ jurat-testnet --json | jq .                 for programs
  $ jurat-testnet --scenario partition slashing two scenarios; exit code 1 when one fails

Node i also uses port base + 1000 + i - 1 (libp2p), base + 2000 + i - 1 (metrics) and base + 3000 + i - 1 (beacon API).
Exit codes: 0 stopped by Ctrl-C, 1 a node or a scenario failed, 2 wrong flag, 3 port in use, 4 directory of another chain.`,
    )
    .allowExcessArguments(false)
    .showHelpAfterError("(jurat-testnet --help shows the flags)")
    .exitOverride();
}

export { CommanderError };
