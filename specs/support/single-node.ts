/** A real node process that is its own network, for specs of clients and tools. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { type NodeProcess, startNode, stopNode } from "../../testnet/node-process.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { freeBasePort } from "./free-ports.ts";

export type SingleNode = {
  readonly url: string;
  /** Of the beacon API. */
  readonly beaconUrl: string;
  readonly chainId: number;
  readonly dir: string;
  /** The node's own folder and its chain spec. */
  readonly folder: { readonly dir: string; readonly chainSpec: string };
  /** Stops the process and leaves what it wrote. */
  halt(): Promise<void>;
  /** Stops the process and removes what it wrote. */
  stop(): Promise<void>;
};

export type SingleNodeOptions = {
  /** More flags of `jurat run`. */
  readonly flags?: readonly string[];
  /** Flags of Node itself. */
  readonly runtimeFlags?: readonly string[];
  /** How long ago slot 0 was: the chain begins with as many empty slots. */
  readonly genesisAgeSeconds?: number;
};

/** Resolves when it serves JSON-RPC. */
export async function startSingleNode({
  flags = [],
  runtimeFlags = [],
  genesisAgeSeconds = 0,
}: SingleNodeOptions = {}): Promise<SingleNode> {
  const basePort = await freeBasePort(1);
  const dir = mkdtempSync(join(tmpdir(), "jurat-node-"));
  const options = parseTestnetOptions([
    "--dir",
    join(dir, "net"),
    "--nodes",
    "1",
    "--validators-per-node",
    "4",
  ]);
  const genesisTime = Math.floor(Date.now() / 1000) - genesisAgeSeconds;
  const { specPath } = prepareNetwork(options, genesisTime, readSystemAllocation());
  const node: NodeProcess = startNode({
    number: 1,
    dir: join(dir, "node"),
    rpcPort: basePort,
    runtimeFlags,
    args: [
      ...["--dir", join(dir, "node"), "--chain-spec", specPath, "--interop-keys", "0-3", "--single-node"],
      ...["--fee-recipient", deriveDevAccounts()[9]!.address],
      ...["--rpc-port", String(basePort), "--p2p-port", String(basePort + 1000)],
      ...["--metrics-port", String(basePort + 2000), "--beacon-port", String(basePort + 3000)],
      ...flags,
    ],
  });
  await node.ready;
  return {
    url: node.url,
    beaconUrl: `http://127.0.0.1:${basePort + 3000}`,
    chainId: options.chainId,
    dir,
    folder: { dir: join(dir, "node"), chainSpec: specPath },
    async halt() {
      await stopNode(node);
    },
    async stop() {
      await stopNode(node);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
