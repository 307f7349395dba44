/** `jurat dev`: the execution side alone, in one thread, with a clock and a head that its user moves. See specs/node/dev.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../../primitives/bytes.ts";
import { developmentMethods } from "../../rpc/development-methods.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { startRpcServer } from "../../rpc/server.ts";
import { CLIENT_VERSION } from "../client-version.ts";
import { systemTime } from "../clock.ts";
import { ExecutionChain } from "../execution/execution-chain.ts";
import { LogIndex } from "../execution/log-index.ts";
import { DEFAULT_MEMPOOL_LIMITS } from "../execution/mempool.ts";
import { NodePool } from "../execution/node-pool.ts";
import { openContractMachine } from "../execution/open-machine.ts";
import { taskSiteOf } from "../execution/task-site.ts";
import { StoredTransactionJournal } from "../execution/transaction-journal.ts";
import { readExplorerPages } from "../explorer-pages.ts";
import { createLog } from "../log.ts";
import { installNativeBackends } from "../native/install.ts";
import { createStopSignal } from "../stop-signal.ts";
import { openDatabase } from "../storage/database.ts";
import { type ConsoleSwitch, DevCalls } from "./dev-calls.ts";
import { DevChain } from "./dev-chain.ts";
import { DevChainView } from "./dev-chain-view.ts";
import type { DevConfig } from "./dev-config.ts";
import { buildDevGenesis, devChainConfig, openIdentity } from "./dev-genesis.ts";
import { bannerText, changeText } from "./dev-report.ts";
import { withEdits } from "./state-edits.ts";

/** Runs until a signal. @throws when the chain cannot start. */
export async function runDev(config: DevConfig): Promise<void> {
  const stop = createStopSignal();
  const write = (text: string) => void process.stdout.write(text);
  const node = await startDevNode(config, write);
  // Counted from the start of the process, compiling and loading included.
  write(bannerText({ ...config, url: node.url, startMs: performance.now() }));
  await stop.requested;
  await node.close();
  process.exit(0);
}

export type DevNode = { readonly url: string; close(): Promise<void> };

/** @param write gets what is mined and what contracts say. */
export async function startDevNode(config: DevConfig, write: (text: string) => void): Promise<DevNode> {
  await installNativeBackends();
  const directory = config.dir ?? mkdtempSync(join(tmpdir(), "jurat-dev-"));
  const parts = await openChain(config, directory, write);
  const { chain, pool, database, dev, calls } = parts;
  const log = createLog({ levels: { level: "info", modules: {} }, json: false });
  const view = new DevChainView({ chain, pool, calls, clientVersion: CLIENT_VERSION }, dev);
  chain.subscribe({
    onHead: (change) => write(changeText(change, ({ hash }) => chain.blocks.receipts(hash) ?? [])),
  });
  const rpc = await startRpcServer({
    host: config.rpcHost,
    port: config.rpcPort,
    virtualHosts: [config.rpcHost, "localhost", "127.0.0.1"],
    corsOrigins: ["*"],
    pages: config.explorer ? readExplorerPages() : new Map(),
    chain: view,
    methods: developmentMethods(dev),
    limits: DEFAULT_RPC_LIMITS,
    now: () => performance.now(),
    setTimer: systemTime.setTimer,
    processUsage: () => ({ residentBytes: process.memoryUsage.rss(), cpuMs: process.cpuUsage().user / 1000 }),
    onFault: (error, methodName) => log.error({ err: error, methodName }, "JSON-RPC method failed"),
  });
  return {
    url: `http://${config.rpcHost}:${rpc.port}`,
    async close() {
      await rpc.close();
      await dev.stop();
      await pool.stop();
      await database.close();
      if (config.dir === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function openChain(config: DevConfig, directory: string, write: (text: string) => void) {
  const identity = openIdentity(directory, config.chainId, Math.floor(systemTime.now() / 1000));
  const genesis = buildDevGenesis(identity);
  const chainConfig = devChainConfig(identity);
  const database = await openDatabase({
    directory: join(directory, "execution"),
    role: "execution",
    chain: genesis.block.hash,
  });
  const listening: ConsoleSwitch = { isHeard: false };
  const print = (contract: Address, text: string) => {
    if (listening.isHeard) write(`console.log ${contract}  ${text}\n`);
  };
  const machine = withEdits(openContractMachine({ console: print }));
  const chain = new ExecutionChain({ database, config: chainConfig, genesis, machine });
  listening.isHeard = true;
  const pool = new NodePool({
    chain,
    limits: { ...DEFAULT_MEMPOOL_LIMITS, minimumTip: 0n },
    journal: new StoredTransactionJournal(database),
    nowMs: () => performance.now(),
    publish: () => undefined,
    forgetsAbandoned: true,
  });
  const dev = new DevChain({
    chain,
    pool,
    blockTimeSeconds: config.blockTime,
    nowMs: systemTime.now,
    setTimer: systemTime.setTimer,
    onFault(error) {
      throw error;
    },
  });
  const site = taskSiteOf(chain, machine, new LogIndex(database));
  return { chain, pool, database, dev, calls: new DevCalls(site, listening) };
}
