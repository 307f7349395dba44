/** `jurat dev`: the execution side alone, in one thread, with a clock and a head that its user moves. See specs/node/dev.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactFolder } from "../../contracts/build/artifact-folder.ts";
import { nextStep } from "../../contracts/build/next-step.ts";
import { createAddress } from "../../primitives/address.ts";
import { type Address, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { developmentMethods } from "../../rpc/development-methods.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { startRpcServer } from "../../rpc/server.ts";
import { SourceMaps } from "../../rpc/source-maps.ts";
import type { Block } from "../../vm/block.ts";
import { CLIENT_VERSION } from "../client-version.ts";
import { systemTime } from "../clock.ts";
import { AddressIndex } from "../execution/address-index.ts";
import { ExecutionChain } from "../execution/execution-chain.ts";
import { LogIndex } from "../execution/log-index.ts";
import { DEFAULT_MEMPOOL_LIMITS } from "../execution/mempool.ts";
import { NodePool } from "../execution/node-pool.ts";
import { openContractMachine, openSnapshotFiles } from "../execution/open-machine.ts";
import { taskSiteOf } from "../execution/task-site.ts";
import { StoredTransactionJournal } from "../execution/transaction-journal.ts";
import { readExplorerPages } from "../explorer-pages.ts";
import { createLog } from "../log.ts";
import { installNativeBackends } from "../native/install.ts";
import { createStopSignal } from "../stop-signal.ts";
import { openDatabase } from "../storage/database.ts";
import { DevCalls } from "./dev-calls.ts";
import { DevChain } from "./dev-chain.ts";
import { DevChainView } from "./dev-chain-view.ts";
import type { DevConfig } from "./dev-config.ts";
import { buildDevGenesis, devChainConfig, openIdentity } from "./dev-genesis.ts";
import { type ConsoleEar, DevNarrator } from "./dev-narrator.ts";
import { DevProfiler } from "./dev-profiler.ts";
import { bannerText, changeText } from "./dev-report.ts";
import type { DevWatch } from "./dev-watch.ts";
import { withEdits } from "./state-edits.ts";

/** Lines of `console.log` in one block or call. */
const HEARD_LIMIT = 10_000;

/** Runs until a signal. @throws when the chain cannot start. */
export async function runDev(config: DevConfig): Promise<void> {
  const stop = createStopSignal();
  const write = (text: string) => void process.stdout.write(text);
  const node = await startDevNode(config, write);
  // Counted from the start of the process, compiling and loading included.
  const next = config.watch === undefined ? nextStep(process.cwd(), node.url) : undefined;
  write(bannerText({ ...config, url: node.url, startMs: performance.now(), next }));
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
  const { chain, pool, database, dev, calls, narrator, profiler, sourceMaps } = parts;
  const log = createLog({ levels: { level: "info", modules: {} }, json: false });
  // Nothing is final on a chain that can be taken back, so its blocks themselves are looked through.
  const about = { clientVersion: CLIENT_VERSION, sourceMaps, isAddressIndexed: true };
  const view = new DevChainView({ chain, pool, calls, ...about }, dev);
  const watching = config.watch === undefined ? undefined : await openWatch(config.watch, parts, view, write);
  const tell = (block: Block) => {
    const receipts = chain.blocks.receipts(block.hash) ?? [];
    profiler?.onBlock(block, receipts);
    watching?.onBlock(block, receipts);
    return { receipts, lines: narrator.linesOfBlock(block, receipts) };
  };
  chain.subscribe({ onHead: (change) => write(changeText(change, tell)) });
  const rpc = await startRpcServer({
    host: config.rpcHost,
    port: config.rpcPort,
    virtualHosts: [config.rpcHost, "localhost", "127.0.0.1"],
    corsOrigins: ["*"],
    pages: config.explorer ? readExplorerPages() : new Map(),
    chain: view,
    methods: developmentMethods(dev, sourceMaps),
    limits: DEFAULT_RPC_LIMITS,
    now: () => performance.now(),
    setTimer: systemTime.setTimer,
    processUsage: () => ({ residentBytes: process.memoryUsage.rss(), cpuMs: process.cpuUsage().user / 1000 }),
    onFault: (error, methodName) => log.error({ err: error, methodName }, "JSON-RPC method failed"),
  });
  await watching?.start();
  return {
    url: `http://${config.rpcHost}:${rpc.port}`,
    async close() {
      await rpc.close();
      await watching?.stop();
      await dev.stop();
      if (profiler !== undefined) write(profiler.finish());
      await pool.stop();
      await database.close();
      if (config.dir === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

type DevParts = Awaited<ReturnType<typeof openChain>>;

/** What a deployment by the chain itself may use. */
const DEPLOYMENT_GAS = 20_000_000n;

async function openWatch(
  file: string,
  { dev, sourceMaps }: DevParts,
  view: DevChainView,
  write: (text: string) => void,
): Promise<DevWatch> {
  // Loaded on use: a chain that watches nothing is up without the bundler.
  const { DevWatch } = await import("./dev-watch.ts");
  const deploy = async (data: Uint8Array): Promise<Address> => {
    const [from = ZERO_ADDRESS] = dev.accounts();
    const nonce = view.pendingNonce(from);
    await dev.send(from, {
      type: 2,
      chainId: BigInt(view.chainId),
      nonce,
      gasLimit: DEPLOYMENT_GAS,
      to: undefined,
      value: 0n,
      data,
      maxFeePerGas: 2n * view.nextBaseFee(),
      maxPriorityFeePerGas: 0n,
      accessList: [],
    });
    return createAddress(from, nonce);
  };
  return new DevWatch({ file, dev, maps: sourceMaps, deploy, write, setTimer: systemTime.setTimer });
}

async function openChain(config: DevConfig, directory: string, write: (text: string) => void) {
  const identity = openIdentity(directory, config.chainId, Math.floor(systemTime.now() / 1000));
  const genesis = buildDevGenesis(identity);
  const chainConfig = devChainConfig(identity);
  const executionDirectory = join(directory, "execution");
  const database = await openDatabase({
    directory: executionDirectory,
    role: "execution",
    chain: genesis.block.hash,
  });
  const ear: ConsoleEar = { isOpen: false, heard: [] };
  const hear = (address: Address, text: string) => {
    if (ear.isOpen && ear.heard.length < HEARD_LIMIT) ear.heard.push({ address, text });
  };
  // A chain that is opened again need not evaluate its contracts again.
  const store = config.dir === undefined ? {} : { store: openSnapshotFiles(executionDirectory) };
  const machine = withEdits(openContractMachine({ console: hear, ...store }));
  const chain = new ExecutionChain({ database, config: chainConfig, genesis, machine });
  ear.isOpen = true;
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
  const site = taskSiteOf(chain, machine, {
    logs: new LogIndex(database),
    addresses: new AddressIndex(database),
  });
  const sourceMaps = new SourceMaps(artifactFolder(config.artifacts ?? "artifacts"));
  const narrator = new DevNarrator({ site, maps: sourceMaps, ear });
  const profiler =
    config.profile === undefined
      ? undefined
      : new DevProfiler({ site, maps: sourceMaps, ear, file: config.profile });
  const calls = new DevCalls({ site, ear, narrator, profiler, write });
  return { chain, pool, database, dev, calls, narrator, profiler, sourceMaps };
}
