/** The flags of `jurat dev`. */
import type { Command } from "commander";
import { wholeNumber } from "../whole-number.ts";

/** Anvil's and Hardhat's, so that libraries know it by name. */
const DEFAULT_CHAIN_ID = 31_337;
const CHAIN_ID_LIMIT = 2 ** 32;
/** A day. */
const BLOCK_TIME_LIMIT_SECONDS = 86_400;

export type DevConfig = {
  readonly rpcHost: string;
  /** 0 takes a free port. */
  readonly rpcPort: number;
  readonly chainId: number;
  /** Whether the web page is served with JSON-RPC. */
  readonly explorer: boolean;
  /** Where the chain is kept; undefined for a folder that is removed at the end. */
  readonly dir: string | undefined;
  /** Seconds between blocks; undefined to mine transactions as they come. */
  readonly blockTime: number | undefined;
  /** Where builds write artifacts, whose source maps traces use. */
  readonly artifacts?: string;
  /** A file that gets the gas by line of all that ran. */
  readonly profile?: string;
  /** A contract that is built again when it changes. */
  readonly watch?: string;
};

/** Adds `dev` to the program; `start` gets the checked flags. */
export function addDevCommand(program: Command, start: (config: DevConfig) => Promise<void>): void {
  program
    .command("dev")
    .description("run a chain of one's own for writing contracts: blocks on demand, funded accounts")
    .option("--rpc-host <host>", "JSON-RPC address", "127.0.0.1")
    .option("--rpc-port <port>", "JSON-RPC port, HTTP and WebSocket; 0 for any", wholeNumber(0, 65_535), 8545)
    .option("--chain-id <id>", "chain id", wholeNumber(1, CHAIN_ID_LIMIT), DEFAULT_CHAIN_ID)
    .option(
      "--block-time <seconds>",
      "a block every so many seconds",
      wholeNumber(1, BLOCK_TIME_LIMIT_SECONDS),
    )
    .option("--no-explorer", "serve no web page beside JSON-RPC")
    .option("--artifacts <path>", "folder of built artifacts, for their source maps", "artifacts")
    .option("--watch <file>", "build and deploy this contract, and again whenever it changes")
    .option("--profile <file>", "at the end, write the gas by line of all that ran, for speedscope")
    .option("--dir <path>", "folder to keep the chain in; without it nothing is kept")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat dev
  $ jurat dev --rpc-port 8546 --block-time 2
  $ jurat dev --dir ./dev-chain
  $ jurat dev --watch contracts/counter.ts

It answers the development methods of anvil and Hardhat: mine, snapshot, revert, set balance, impersonate…`,
    )
    .action(async (flags: Partial<DevConfig>) => {
      await start({ dir: undefined, blockTime: undefined, ...flags } as DevConfig);
    });
}
