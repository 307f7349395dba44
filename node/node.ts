/** A running node: everything opened, connected and started, and stopped in the opposite order. Read this first. */
import { join } from "node:path";
import { type Hex, toHex } from "../primitives/bytes.ts";
import { type ChainSpec, readChainSpec } from "./chain-spec.ts";
import { beginFromCheckpoint } from "./checkpoint/begin-from-checkpoint.ts";
import { CLIENT_VERSION } from "./client-version.ts";
import type { NodeConfig } from "./config.ts";
import { type ConsensusSide, startConsensus } from "./consensus-side.ts";
import type { ExecutionGenesis } from "./execution/chain-states.ts";
import type { ConsensusQuestion } from "./execution/port.ts";
import { PortError } from "./execution/port-error.ts";
import { startExecution } from "./execution/start-execution.ts";
import { buildConsensusGenesis, buildExecutionGenesis, chainConfigOf } from "./genesis.ts";
import { createLog, type Logger, type LogModule, logOptionsOf, moduleLog } from "./log.ts";
import { makeFolder } from "./make-folder.ts";
import { installNativeBackends } from "./native/install.ts";
import { TransactionBatcher } from "./network/transaction-gossip.ts";
import { rpcOptionsOf } from "./rpc-flags.ts";
import { describeStartFailure, EXIT_CODES } from "./start-failure.ts";
import { createStopSignal, type StopSignal } from "./stop-signal.ts";
import { openDatabase } from "./storage/database.ts";
import { DatabaseError, type DatabaseRole } from "./storage/database-error.ts";
import { FULL_DISK_BYTES, freeBytesOf } from "./storage/disk-room.ts";
import { instanceOf } from "./tracing/gossip-traces.ts";
import type { TraceContext } from "./tracing/span.ts";
import { DoppelgangerError } from "./validator/doppelganger.ts";
import { loadKeyring } from "./validator/keyring.ts";

/** Blocks whose state stays readable below the finalized one, unless --archive. */
const HISTORY_BLOCKS = 90_000;
/** Runs until a signal, a fatal error, or the end of the parent process. @throws when the node cannot start. */
export async function runNode(config: NodeConfig): Promise<void> {
  const log = createLog(logOptionsOf(config));
  const stop = createStopSignal();
  const node = await startNode(config, log, stop);
  process.stdout.write(`${JSON.stringify({ ready: true, ...node.endpoints })}\n`);
  const reason = await stop.requested;
  log.info({ reason }, "stopping");
  await node.close();
  log.info("stopped");
  // Whatever still holds the event loop (a peer's half-open stream) must not keep the process.
  process.exit(stop.exitCode());
}

type RunningNode = {
  readonly endpoints: {
    readonly rpc: string;
    readonly beacon: string;
    readonly p2p: readonly string[];
    readonly metrics: string;
    readonly keymanager?: string;
  };
  close(): Promise<void>;
};

async function startNode(config: NodeConfig, log: Logger, stop: StopSignal): Promise<RunningNode> {
  const spec = readChainSpec(config.chainSpec);
  const backends = await installNativeBackends();
  makeFolder(config.dir);
  const fatal = createFatal(config.dir, log, stop);
  // Whatever nobody waited for must not end the process before it has closed its databases.
  process.on("unhandledRejection", fatal);
  const executionGenesis = buildExecutionGenesis(spec);
  const genesis = buildConsensusGenesis(spec, executionGenesis.block);
  const keyring = await loadKeyring(keySourcesOf(config));
  log.info(
    {
      chain: spec.name,
      chainId: spec.chainId,
      genesis: toHex(genesis.blockRoot),
      keys: keyring.size,
      ...backends,
    },
    "starting",
  );

  await beginFromCheckpoint({
    ...{ config, spec, genesis, log, nowMs: Date.now() },
    directory: {
      dir: config.dir,
      genesisRoot: toHex(genesis.blockRoot),
      executionGenesisHash: executionGenesis.block.hash,
    },
  });
  const batcher: { current: TransactionBatcher | undefined } = { current: undefined };
  const consensusSide: { current: ConsensusSide | undefined } = { current: undefined };
  const upcalls = {
    publishTransactions: (raws: readonly Uint8Array[]) => {
      for (const raw of raws) batcher.current?.add(raw);
    },
    traceGossip: (trace: TraceContext) => consensusSide.current?.gossipTraces?.begin(trace),
    fatal: (message: string) => fatal(new Error(message)),
    ask: async (question: ConsensusQuestion) =>
      consensusSide.current?.ask(question) ?? { unavailable: "the node is starting" },
  };
  // The slowest part, on a thread of its own, while this one opens the rest.
  const starting = startExecution(executionOptionsOf(config, spec, executionGenesis), upcalls);
  starting.catch(() => undefined);
  const open = (role: DatabaseRole) =>
    openDatabase({ directory: join(config.dir, role), role, chain: toHex(genesis.blockRoot) });
  const database = await open("consensus");
  const validatorDatabase = await open("validator");
  const { levels } = logOptionsOf(config);
  const logOf = (module: LogModule) => moduleLog(log, module, levels);
  const parts = { config, spec, genesis, keyring, database, validatorDatabase, log, logOf, fatal };
  const execution = await starting;
  const consensus = await startConsensus({ ...parts, execution: execution.port });
  consensusSide.current = consensus;
  batcher.current = createBatcher(consensus, fatal);
  const { keymanagerPort } = consensus;
  const keymanager = `http://${config.keymanagerHost}:${keymanagerPort}`;
  return {
    endpoints: {
      ...(keymanagerPort === undefined ? {} : { keymanager }),
      rpc: `http://${config.rpcHost}:${execution.rpcPort}`,
      beacon: `http://${config.beaconHost}:${consensus.beaconPort}`,
      p2p: consensus.network.addresses(),
      metrics: `http://${config.metricsHost}:${config.metricsPort}/metrics`,
    },
    async close() {
      batcher.current?.stop();
      await consensus.close();
      await execution.port.stop();
      await database.close();
      await validatorDatabase.close();
    },
  };
}

/** Gossips what our users send. */
function createBatcher(
  { network, gossipTraces }: ConsensusSide,
  fatal: (error: unknown) => void,
): TransactionBatcher {
  return new TransactionBatcher((batch) => {
    const published = network.publish("transactions", batch);
    gossipTraces?.endWith(published);
    published.catch(fatal);
  });
}

/** Ends the node: in order, unless its disk already refused a write. */
function createFatal(directory: string, log: Logger, stop: StopSignal): (error: unknown) => void {
  return (error) => {
    // What breaks while it stops is a consequence, and so is a closed port: the thread's own end is told apart.
    const isConsequence = error instanceof PortError && error.detail.code === "PORT_CLOSED";
    if (stop.exitCode() !== 0 || isConsequence) return;
    const { message, exitCode } = describeStartFailure(error);
    if (error instanceof DatabaseError || error instanceof DoppelgangerError) log.fatal(message);
    else log.fatal({ err: error }, "the node cannot go on");
    const isRefused = freeBytesOf(directory) < FULL_DISK_BYTES && !(error instanceof DatabaseError);
    // LMDB may hang or crash when a database is closed after such a write; what it committed needs no closing.
    if (isRefused) process.exit(EXIT_CODES.directory);
    stop.fail("a fatal error", exitCode);
  };
}

function keySourcesOf(config: NodeConfig) {
  const { dir, interopKeys, keystores, passwordFile, keymanager, remoteSigner, remoteKeys } = config;
  const publicKeys = remoteKeys?.map((key) => key.toLowerCase() as Hex);
  return {
    remote: remoteSigner === undefined ? undefined : { url: remoteSigner, publicKeys },
    ...{ dir, mayBeEmpty: keymanager },
    interop: interopKeys,
    keystores:
      keystores === undefined || passwordFile === undefined ? undefined : { dir: keystores, passwordFile },
  };
}

function executionOptionsOf(config: NodeConfig, spec: ChainSpec, genesis: ExecutionGenesis) {
  return {
    directory: join(config.dir, "execution"),
    params: spec.params,
    config: chainConfigOf(spec),
    genesis,
    historyBlocks: config.archive ? Number.POSITIVE_INFINITY : HISTORY_BLOCKS,
    clientVersion: CLIENT_VERSION,
    rpc: rpcOptionsOf(config),
    explorer: config.explorer,
    addressIndex: config.addressIndex,
    log: logOptionsOf(config),
    tracing: config.otlp === undefined ? undefined : { url: config.otlp, instance: instanceOf(config) },
  };
}
