/** The flags of `jurat run`, read and checked before anything is opened. */
import { type Command, InvalidArgumentError } from "commander";
import { parseAddress } from "../primitives/address.ts";
import type { Address, Hex } from "../primitives/bytes.ts";
import {
  addCheckpointFlags,
  type CheckpointConfig,
  checkCheckpointFlags,
} from "./checkpoint/checkpoint-flags.ts";
import { addKeymanagerFlags, type KeymanagerConfig } from "./keymanager-flags.ts";
import { LOG_LEVELS, LOG_MODULES, parseLogLevels } from "./log.ts";
import { GRAFFITI_LIMIT_BYTES, MAX_GAS_LIMIT, MIN_GAS_LIMIT } from "./proposal-limits.ts";
import { addRestFlags, type RestConfig } from "./rest-flags.ts";
import { addRpcFlags, type RpcConfig } from "./rpc-flags.ts";
import { applySettings, type Environment, environmentName } from "./settings.ts";
import { parseSignerUrl } from "./validator/signer-url.ts";
import { wholeNumber } from "./whole-number.ts";

export type NodeConfig = RpcConfig &
  RestConfig &
  KeymanagerConfig &
  CheckpointConfig & {
    /** Folder of this node's databases, identity and slashing protection. */
    readonly dir: string;
    readonly chainSpec: string;
    readonly interopKeys?: { readonly first: number; readonly last: number };
    readonly keystores?: string;
    readonly passwordFile?: string;
    readonly remoteSigner?: string;
    readonly remoteKeys?: readonly Hex[];
    readonly feeRecipient?: Address;
    readonly doppelganger: boolean;
    readonly graffiti: string;
    readonly gasLimit: number;
    readonly archive: boolean;
    /** Megabytes. */
    readonly minFreeDisk: number;
    readonly p2pHost: string;
    readonly p2pPort: number;
    readonly metricsHost: string;
    readonly metricsPort: number;
    /** Base URL of an OpenTelemetry collector. */
    readonly otlp?: string;
    readonly bootstrap: readonly string[];
    readonly explorer: boolean;
    readonly addressIndex: boolean;
    readonly slasher: boolean;
    readonly singleNode: boolean;
    /** As `parseLogLevels` reads it. */
    readonly logLevel: string;
    readonly logJson: boolean;
  };

const MAX_INTEROP_INDEX = 1_000_000;

/** Adds `run` to the program; `start` gets the checked flags. */
export function addRunCommand(
  program: Command,
  environment: Environment,
  start: (config: NodeConfig) => Promise<void>,
): void {
  const run = program.command("run").description("run a node; it validates when it has keys");
  addRunFlags(run);
  run.addHelpText(
    "after",
    `
Examples:
  $ jurat run --dir ./node --chain-spec chain.json --bootstrap /ip4/203.0.113.5/tcp/9000/p2p/12D3…
  $ jurat run --dir ./validator --chain-spec chain.json --keystores ./keys --password-file ./pw --fee-recipient 0x…

Every flag may also stand in the environment (--rpc-port as JURAT_NODE_RPC_PORT) or in the file of --config
(rpc-port: 8545). Flags win over the environment, the environment over the file; jurat config prints what wins.
Every server listens on 127.0.0.1 unless its --…-host says otherwise.`,
  );
  run.action(async () => {
    await applySettings(run, environment);
    const config = run.opts<NodeConfig>();
    checkTogether(config, run);
    await start(config);
  });
}

/** All settings of a node; `jurat config` has them too. */
export function addRunFlags(command: Command): void {
  command.option(
    "--config <file>",
    "YAML or JSON with settings that are neither flags nor in the environment",
  );
  addChainFlags(command);
  addCheckpointFlags(command);
  addValidatorFlags(command);
  addServiceFlags(command);
  addRpcFlags(command);
  addRestFlags(command);
  addKeymanagerFlags(command);
}

function addChainFlags(run: Command): void {
  run
    .option("--dir <path>", "folder for everything this node keeps (required)")
    .option("--chain-spec <file>", "JSON that defines the chain (required)")
    .option(
      "--gas-limit <gas>",
      "block gas limit this node's proposals move toward",
      wholeNumber(MIN_GAS_LIMIT, MAX_GAS_LIMIT),
      30_000_000,
    )
    .option(
      "--min-free-disk <megabytes>",
      "make no blocks while the disk of --dir has less room than this",
      wholeNumber(0, 2 ** 30),
      1024,
    )
    .option("--archive", "keep the state of every block for ever", false);
}

function addValidatorFlags(run: Command): void {
  run
    .option("--interop-keys <first-last>", "sign with well-known development keys, such as 0-3", indexRange)
    .option("--keystores <folder>", "sign with the EIP-2335 keystores of this folder")
    .option("--password-file <file>", "password of the keystores; readable by you alone")
    .option("--remote-signer <url>", "sign with the keys of a signer elsewhere (Web3Signer API)", signerUrl)
    .option("--remote-keys <keys...>", "public keys it signs with; without it all that it lists at the start")
    .option("--fee-recipient <address>", "account that gets the tips of our blocks", address)
    .option("--doppelganger", "listen two periods for other users of our keys before signing", false)
    .option("--graffiti <text>", "up to 32 bytes in each of our blocks", graffiti, "jurat");
}

function addServiceFlags(run: Command): void {
  run
    .option("--p2p-host <host>", "libp2p address", "127.0.0.1")
    .option("--p2p-port <port>", "libp2p port", port, 9000)
    .option("--metrics-host <host>", "Prometheus address", "127.0.0.1")
    .option("--metrics-port <port>", "Prometheus port, GET /metrics", port, 8008)
    .option("--otlp <url>", "send traces to this OpenTelemetry collector (OTLP over HTTP)", collector)
    .option("--bootstrap <multiaddr...>", "peers to stay connected to", [])
    .option("--explorer", "serve the explorer's web page at / of the JSON-RPC port", false)
    .option("--address-index", "index transactions by account, for explorers; may be turned on later", false)
    .option("--slasher", "look for slashable votes in the whole weak-subjectivity window", false)
    .option("--single-node", "produce blocks without any peer", false)
    .option(
      "--log-level <levels>",
      "least severe line written; by module: info,network=debug",
      levels,
      "info",
    )
    .option("--log-json", "log JSON, one object per line", false);
}

/** Rules between flags. */
function checkTogether(flags: NodeConfig, run: Command): void {
  for (const [setting, value] of [
    ["dir", flags.dir],
    ["chain-spec", flags.chainSpec],
  ] as const) {
    if (value !== undefined && value !== "") continue;
    run.error(
      `error: --${setting} is required: give it as a flag, as ${environmentName(setting)} or in --config`,
    );
  }
  checkCheckpointFlags(flags, run);
  const sources = [flags.interopKeys, flags.keystores, flags.remoteSigner];
  const hasKeys = flags.keymanager || sources.some((source) => source !== undefined);
  if (hasKeys && flags.feeRecipient === undefined) {
    run.error("error: a validator needs --fee-recipient: without one the tips of its blocks would be lost");
  }
  if (flags.keystores !== undefined && flags.passwordFile === undefined) {
    run.error("error: --keystores needs --password-file");
  }
  if (flags.remoteKeys !== undefined && flags.remoteSigner === undefined) {
    run.error("error: --remote-keys needs --remote-signer");
  }
  const wrong = flags.remoteKeys?.find((key) => !/^0x[0-9a-f]{96}$/i.test(key));
  if (wrong !== undefined) run.error(`error: --remote-keys: "${wrong}" is no public key, 48 bytes of hex`);
}

const port = wholeNumber(0, 65_535);

function indexRange(text: string): { first: number; last: number } {
  const [, first = "", last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (first === "" || range.last < range.first || range.last > MAX_INTEROP_INDEX) {
    throw new InvalidArgumentError("expected two key indices, such as 0-3.");
  }
  return range;
}

function signerUrl(text: string): string {
  const url = parseSignerUrl(text);
  if (url === undefined) throw new InvalidArgumentError("expected http:// or https:// without a password.");
  return url;
}

function collector(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError("expected the base of a collector, such as http://127.0.0.1:4318.");
  }
  return text;
}

function levels(text: string): string {
  if (parseLogLevels(text) === undefined) {
    throw new InvalidArgumentError(
      `expected one of ${LOG_LEVELS.join(", ")}; then, after commas, some of ${LOG_MODULES.join(", ")} with = and theirs.`,
    );
  }
  return text;
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined)
    throw new InvalidArgumentError("expected an address; mixed case needs a right checksum.");
  return parsed;
}

function graffiti(text: string): string {
  if (Buffer.byteLength(text) > GRAFFITI_LIMIT_BYTES)
    throw new InvalidArgumentError("expected at most 32 bytes.");
  return text;
}
