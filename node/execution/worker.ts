/** Entry of the execution thread: everything it consists of, put together in one place. See specs/node/execution.md#the-thread. */
import "../polyfill.ts";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../primitives/errors.ts";
import { METHODS, METHODS_WITH_ADMIN } from "../../rpc/method-table.ts";
import { startRpcServer } from "../../rpc/server.ts";
import { systemTime } from "../clock.ts";
import { readExplorerPages } from "../explorer-pages.ts";
import { createLog, type Logger, moduleLog } from "../log.ts";
import { createExecutionMetrics } from "../metrics/execution-metrics.ts";
import { timedDatabase } from "../metrics/timed-database.ts";
import { installNativeBackends } from "../native/install.ts";
import { describeStartFailure } from "../start-failure.ts";
import { openDatabase } from "../storage/database.ts";
import { openExecutionTraces } from "../tracing/execution-traces.ts";
import { AddressIndex } from "./address-index.ts";
import type { TaskSite } from "./call-tasks.ts";
import { callThreadName, followChain, spawnCallThread } from "./call-thread.ts";
import { CallWorkerClient } from "./call-worker-client.ts";
import { CallWorkers } from "./call-workers.ts";
import { LocalCalls } from "./calls.ts";
import { NodeChainView } from "./chain-view.ts";
import { ExecutionChain } from "./execution-chain.ts";
import { createExecutionService } from "./execution-service.ts";
import { LogIndex } from "./log-index.ts";
import { DEFAULT_MEMPOOL_LIMITS } from "./mempool.ts";
import { NodePool } from "./node-pool.ts";
import { openIndexers } from "./open-indexers.ts";
import { openContractMachine, openSnapshotFiles } from "./open-machine.ts";
import type { ExecutionPort, ExecutionUpcalls } from "./port.ts";
import { createUpcalls, serveExecution } from "./port-server.ts";
import { taskSiteOf } from "./task-site.ts";
import { StoredTransactionJournal } from "./transaction-journal.ts";
import type { ExecutionWorkerOptions, WorkerGreeting } from "./worker-options.ts";

assert(parentPort !== null, "the execution side runs in a thread");
const channel = parentPort;

try {
  const { service, rpcPort } = await openExecution(
    workerData as ExecutionWorkerOptions,
    createUpcalls(channel),
  );
  channel.postMessage({ type: "ready", rpcPort } satisfies WorkerGreeting);
  serveExecution(channel, service);
} catch (error) {
  channel.postMessage({ type: "failed", failure: describeStartFailure(error) } satisfies WorkerGreeting);
}

type Execution = { readonly service: ExecutionPort; readonly rpcPort: number };

async function openExecution(options: ExecutionWorkerOptions, upcalls: ExecutionUpcalls): Promise<Execution> {
  const { directory, config, genesis, historyBlocks, params } = options;
  const metrics = createExecutionMetrics(directory);
  await installNativeBackends();
  const root = createLog(options.log);
  const log = moduleLog(root, "execution", options.log.levels);
  const rpcLog = moduleLog(root, "rpc", options.log.levels);
  const nowMs = () => performance.now();
  const onFault = (error: unknown) => upcalls.fatal(textOf(error));

  const opened = await openDatabase({ directory, role: "execution", chain: genesis.block.hash });
  const database = timedDatabase(opened, metrics.onWritten);
  const store = openSnapshotFiles(directory, {
    onFault: (error) => log.warn({ err: error }, "contract snapshots are not kept on disk"),
  });
  const machine = openContractMachine({ store });
  const traces = openExecutionTraces(options.tracing, metrics.registry, upcalls);
  const stopwatch = { nowMs, onExecuted: traces?.alsoTold(metrics.onExecuted) ?? metrics.onExecuted };
  const chain = new ExecutionChain({ database, config, genesis, machine, historyBlocks, stopwatch });
  chain.subscribe({ onHead: metrics.onHead });
  const journal = new StoredTransactionJournal(database);
  if (traces !== undefined) chain.subscribe(traces.transactions);
  const publish = traces?.publishTransactions ?? upcalls.publishTransactions;
  const limits = DEFAULT_MEMPOOL_LIMITS;
  const pool = new NodePool({ chain, limits, journal, nowMs, publish, observer: metrics });
  const indexes = { logs: new LogIndex(database), addresses: new AddressIndex(database) };
  const indexers = openIndexers(chain, indexes, options.addressIndex, onFault);
  const calls = openCalls(options, taskSiteOf(chain, machine, indexes), log);
  followChain(chain, calls);
  const view = new NodeChainView({
    ...{ chain, pool, calls },
    clientVersion: options.clientVersion,
    callGasCap: options.rpc.callGasCap,
    isAddressIndexed: options.addressIndex,
    ask: upcalls.ask,
    traces: traces?.transactions,
  });
  const rpc = await serveJsonRpc(options, view, rpcLog);
  const service = createExecutionService({
    chain,
    params,
    pool,
    admitGossip: (batch) => pool.addGossiped(batch),
    nowMs,
    async readMetrics() {
      metrics.readFrom({ pool: pool.statistics(), waitingCalls: calls.waiting() });
      return [await metrics.registry.getMetricsAsJSON(), ...calls.readMetrics()];
    },
    onConsensusStatus: (status) => view.setConsensusStatus(status),
    onLivePicture: (picture) => view.setLivePicture(picture),
    // Whoever still asks is turned away first; the database closes last.
    onStop: async () => {
      await rpc.close();
      await calls.stop();
      await indexers.stop();
      await pool.stop();
      await database.close();
      await traces?.close();
    },
  });
  return { service: traces?.traced(service) ?? service, rpcPort: rpc.port };
}

function serveJsonRpc({ rpc, explorer }: ExecutionWorkerOptions, chain: NodeChainView, log: Logger) {
  return startRpcServer({
    ...rpc,
    pages: explorer ? readExplorerPages() : new Map(),
    chain,
    methods: rpc.admin ? METHODS_WITH_ADMIN : METHODS,
    now: () => performance.now(),
    setTimer: systemTime.setTimer,
    processUsage,
    onFault: (error, methodName) => log.error({ err: error, methodName }, "JSON-RPC method failed"),
  });
}

function openCalls({ directory, config, genesis, rpc }: ExecutionWorkerOptions, site: TaskSite, log: Logger) {
  const data = { directory, chain: genesis.block.hash, chainId: config.chainId };
  const fallback = new LocalCalls(site);
  const onFault = (error: Error) => log.error({ err: error }, "call worker died");
  const clients = Array.from(
    { length: rpc.callWorkers },
    (_, index) =>
      new CallWorkerClient({
        spawn: () => spawnCallThread({ ...data, thread: callThreadName(index) }, onFault),
        fallback,
        timeoutMs: rpc.callTimeoutMs,
        cpuMs: processCpuMs,
        setTimer: systemTime.setTimer,
        afterTurn: (callback) => void setImmediate(callback),
      }),
  );
  return new CallWorkers(clients);
}

/** Of the whole process: threads share both. */
function processUsage() {
  return { residentBytes: process.memoryUsage.rss(), cpuMs: processCpuMs() };
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
