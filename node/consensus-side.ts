/** The consensus side of a node: engine, network, duties, clock and metrics, all on the main thread. */
import { join } from "node:path";
import { type ChainContainers, containersOf } from "../consensus/chain-containers.ts";
import type { EngineEvent } from "../consensus/engine-events.ts";
import type { Engine } from "../consensus/engine-state.ts";
import type { Genesis } from "../consensus/genesis.ts";
import { engineWakeMoments } from "../consensus/on-tick.ts";
import { computeForkDigest } from "../consensus/signing-root.ts";
import { fromHex, type Hex, toHex } from "../primitives/bytes.ts";
import type { ConsensusAnswer } from "../rpc/chain-view.ts";
import { type BlockCodec, createBlockCodec } from "./chain/block-codec.ts";
import { createBlockOutcomes } from "./chain/block-outcomes.ts";
import { createBlockSource } from "./chain/block-source.ts";
import { createChain } from "./chain/chain.ts";
import { createGossipHandler } from "./chain/gossip-events.ts";
import { createInOrder, type InOrder } from "./chain/in-order.ts";
import { createLiveView } from "./chain/live-view.ts";
import { createLookahead } from "./chain/lookahead.ts";
import { openEngine } from "./chain/open-engine.ts";
import { firstValidatorsOf, graffitiBytes, openOwnDuties } from "./chain/own-duties.ts";
import type { OwnValidators } from "./chain/own-validators.ts";
import { localStatusOf, toPeerStatus } from "./chain/peer-status.ts";
import { createEffectRunner } from "./chain/run-effects.ts";
import { openSafetyFaultRecord } from "./chain/safety-fault.ts";
import { createSlotReport, type SlotReportPorts } from "./chain/slot-report.ts";
import { startBackfill } from "./chain/start-backfill.ts";
import { createSyncPort } from "./chain/sync-port.ts";
import { createSyncRunner } from "./chain/sync-runner.ts";
import type { ChainSpec } from "./chain-spec.ts";
import { startSlotClock, systemTime } from "./clock.ts";
import type { NodeConfig } from "./config.ts";
import { createDiskWatch, type DiskWatch } from "./disk-watch.ts";
import type { ConsensusQuestion } from "./execution/port.ts";
import type { ExecutionClient } from "./execution/port-client.ts";
import type { Logger, LogModule } from "./log.ts";
import { createNodeMetrics, type NodeMetrics } from "./metrics/consensus-metrics.ts";
import { serveMetrics } from "./metrics/metrics-server.ts";
import { timedDatabase } from "./metrics/timed-database.ts";
import { loadIdentity } from "./network/identity.ts";
import { createNetwork } from "./network/network.ts";
import { answerNetwork, isNetworkQuestion } from "./network/network-answers.ts";
import type { Network, NetworkHandlers } from "./network/network-port.ts";
import { type BeaconServer, prepareRest } from "./rest/start-rest.ts";
import { openSlasher } from "./slasher/slasher.ts";
import { ConsensusBlocks } from "./storage/consensus-blocks.ts";
import type { Database } from "./storage/database.ts";
import { DatabaseError } from "./storage/database-error.ts";
import { FULL_DISK_BYTES, freeBytesOf } from "./storage/disk-room.ts";
import { openConsensusTraces } from "./tracing/consensus-traces.ts";
import type { GossipTraces } from "./tracing/gossip-traces.ts";
import type { ValidatorKey } from "./validator/keyring.ts";

export type ConsensusParts = {
  readonly config: NodeConfig;
  readonly spec: ChainSpec;
  readonly genesis: Genesis;
  /** The keymanager API changes it. */
  readonly keyring: Map<Hex, ValidatorKey>;
  readonly database: Database;
  /** Of its own, so that chain data can be deleted without forgetting what was signed. */
  readonly validatorDatabase: Database;
  readonly execution: ExecutionClient;
  readonly log: Logger;
  readonly logOf: (module: LogModule) => Logger;
  readonly fatal: (error: unknown) => void;
};

export type ConsensusSide = {
  readonly network: Network;
  readonly beaconPort: number;
  /** With --keymanager. */
  readonly keymanagerPort: number | undefined;
  /** Of the transactions that are published. */
  readonly gossipTraces: GossipTraces | undefined;
  ask(question: ConsensusQuestion): Promise<ConsensusAnswer>;
  close(): Promise<void>;
};

export async function startConsensus(parts: ConsensusParts): Promise<ConsensusSide> {
  const { config, spec, genesis, execution, log, fatal } = parts;
  const { params } = spec;
  const containers = containersOf(params);
  const codec = createBlockCodec(containers);
  const metrics = createNodeMetrics();
  const timed = (database: Database) => timedDatabase(database, metrics.database.onWritten);
  const database = timed(parts.database);
  const blocks = new ConsensusBlocks(database);
  const nowMs = () => systemTime.now() - spec.genesisTime * 1000;
  const safetyFault = openSafetyFaultRecord(config.dir, codec, log);
  const engine = openEngine({
    ...{ params, genesis, blocks, codec, localValidators: firstValidatorsOf(parts) },
    ...{ isSingleNode: config.singleNode, hasSlasher: config.slasher },
    ...{ graffiti: graffitiBytes(config.graffiti), nowMs: nowMs(), isFaulted: safetyFault.isFaulted() },
  });

  // Peers may speak before everything is there to answer them: the chain keeps what they say until it starts.
  const chain = createChain(engine);
  const inOrder = createInOrder(fatal);
  const rest = prepareRest({
    ...{ engine, genesis, containers, codec, blocks, database, inOrder, log, fatal },
    ...{ execution, chainId: spec.chainId, run: systemTime.now().toString(36) },
  });
  const tracing = openConsensusTraces(config, metrics.registry, { engine, containers, inOrder });
  const submit = (event: EngineEvent) => chain.submit(rest.watched(tracing?.blocks.watched(event) ?? event));
  const network = await connect(parts, {
    ...{ engine, codec, containers, blocks, genesisTimeMs: spec.genesisTime * 1000, submit, metrics },
    onVotes: (slot, arrivalMs) => metrics.onVotes(arrivalMs - slot * params.slotSeconds * 1000),
  });
  const [outcomes, lookahead] = [createBlockOutcomes(), createLookahead({ engine, execution })];
  const port = createSyncPort({ engine, network, codec, outcomes, lookahead, inOrder, submit, nowMs });
  const sync = createSyncRunner({ port, submit, log: parts.logOf("sync"), nowMs: systemTime.now, fatal });
  const server = await startMetricsServer(config, metrics, { engine, network, execution, inOrder });
  const beacon = await rest.listen({ config, network, submit, syncTargetSlot: sync.targetSlot });
  const duties = openOwnDuties(parts, { engine, metrics, submit, timed, startMs: nowMs() });
  const disk = diskWatchOf(parts);
  const report = createSlotReport({
    ...{ log, metrics, disk, localValidators: () => engine.localValidators.size, beaconPort: beacon.port },
    ...{ peers: () => network.peers().length, syncTargetSlot: sync.targetSlot },
    publish: (status) => void execution.updateConsensusStatus(status).catch(fatal),
    onReported: reportTo(duties.own, createPictures(parts, engine)),
  });
  const perform = createEffectRunner({
    ...{ submit, codec, containers, blocks, execution, network, sync, outcomes, inOrder, report },
    ...{ lookahead, disk, log, metrics, fatal, safetyFault, onFinalizedState: duties.own.onFinalizedState },
    ...{ signer: duties.signer, proposals: duties.proposals },
    slasher: config.slasher ? openSlasher({ database, containers, params }) : undefined,
    onHead: (slot) => timeHead(engine, metrics, slot, nowMs()),
  });
  chain.start(rest.watching(tracing?.blocks.watching(perform) ?? perform));

  const keymanager = await duties.startKeymanager();
  const backfill = startBackfill(parts, { engine, blocks, codec, network });
  const stopClock = startClock(spec, network, submit);
  return {
    ask: async (question) => answer(question, parts, { network, engine, beacon }),
    ...{ network, beaconPort: beacon.port, keymanagerPort: keymanager?.port, gossipTraces: tracing?.gossip },
    async close() {
      stopClock();
      chain.stop();
      sync.stop();
      await backfill.stop();
      await duties.close();
      await beacon.close();
      server.close();
      await network.close();
      await inOrder.settled();
      await tracing?.close();
    },
  };
}

type Asked = { readonly network: Network; readonly engine: Engine; readonly beacon: BeaconServer };

function answer(
  question: ConsensusQuestion,
  { spec, genesis }: ConsensusParts,
  { network, engine, beacon }: Asked,
): ConsensusAnswer {
  if (!isNetworkQuestion(question)) return beacon.askLight(question);
  const headRoot = () => engine.store.headRoot;
  return answerNetwork(question, { network, genesis, headRoot, chainId: spec.chainId });
}

/** A head that comes from catching up says nothing about how fast blocks travel. */
function timeHead({ store, chain }: Engine, metrics: NodeMetrics, slot: number, nowMs: number): void {
  if (slot === store.nowSlot) metrics.onHead(slot, nowMs - slot * chain.params.slotSeconds * 1000);
}

/** Wakes the engine at its moments of each slot, and tells it how far our clock seems to be off. */
function startClock(
  { genesisTime, params }: ChainSpec,
  network: Network,
  submit: (event: EngineEvent) => void,
): () => void {
  const slotDurationMs = params.slotSeconds * 1000;
  return startSlotClock(
    {
      ...{ genesisTimeMs: genesisTime * 1000, slotDurationMs, wakeAtMs: engineWakeMoments(params) },
      ...systemTime,
    },
    (nowMs) => submit({ type: "tick", nowMs, ...clockOffsetOf(network) }),
  );
}

function reportTo(own: OwnValidators, picture: SlotReportPorts["onReported"]): SlotReportPorts["onReported"] {
  return (summary, peers) => {
    own.onSlot(summary.slot, summary.isSynced);
    picture(summary, peers);
  };
}

/** Sends the explorer its picture of each slot, where there is an explorer. */
function createPictures(
  { config, execution, fatal }: ConsensusParts,
  engine: Engine,
): SlotReportPorts["onReported"] {
  if (!config.explorer) return () => undefined;
  const liveView = createLiveView(engine);
  return (summary, peers) => {
    execution.updateLivePicture(liveView.onSlot(summary, peers)).catch(fatal);
  };
}

type Connection = {
  readonly engine: Engine;
  readonly codec: BlockCodec;
  readonly containers: ChainContainers;
  readonly blocks: ConsensusBlocks;
  readonly genesisTimeMs: number;
  readonly submit: (event: EngineEvent) => void;
  readonly metrics: NodeMetrics;
  readonly onVotes: (slot: number, arrivalMs: number) => void;
};

async function connect(
  { config, execution, logOf, fatal }: ConsensusParts,
  connection: Connection,
): Promise<Network> {
  const { engine, blocks, submit } = connection;
  const { params, genesisValidatorsRoot } = engine.chain;
  const forkDigest = computeForkDigest(fromHex(params.forks[0]?.version ?? "0x"), genesisValidatorsRoot);
  const onGossip = createGossipHandler({
    ...connection,
    ...{ execution, fatal, reportVerdict: (id, verdict) => network.reportVerdict(id, verdict) },
  });
  const handlers: NetworkHandlers = {
    onGossip,
    localStatus: () => localStatusOf(engine, blocks, forkDigest),
    onPeerStatus: (peer, status) => submit({ type: "peerStatus", peer, status: toPeerStatus(status) }),
    onPeerDisconnected: (peer) => submit({ type: "peerGone", peer }),
    blocks: createBlockSource(engine, blocks),
    transactions: {
      transactionsByHash: (hashes) => execution.getTransactionsByHash(hashes.map(toHex)),
    },
  };
  const log = logOf("network");
  const network = await createNetwork({
    identity: await loadIdentity(config.dir),
    forkDigest,
    handlers,
    listen: [`/ip4/${config.p2pHost}/tcp/${config.p2pPort}`],
    bootstrap: config.bootstrap,
    metrics: connection.metrics.network.port,
    log: {
      debug: (message, fields) => log.debug(fields ?? {}, message),
      info: (message, fields) => log.info(fields ?? {}, message),
      warn: (message, fields) => log.warn(fields ?? {}, message),
    },
  });
  return network;
}

type Watched = {
  readonly engine: Engine;
  readonly network: Network;
  readonly execution: ExecutionClient;
  readonly inOrder: InOrder;
};

function watchQueues(metrics: NodeMetrics, { engine, network, execution, inOrder }: Watched): void {
  metrics.watchQueue("blocks", () => engine.pendingBlocks.size);
  metrics.watchQueue("votes", () => engine.pendingVotes.size);
  metrics.watchQueue("wishes", () => engine.jobs.size);
  metrics.watchQueue("gossip", () => network.waitingVerdicts());
  metrics.watchQueue("disk", () => inOrder.waiting());
  metrics.watchQueue("execution", () => execution.waiting());
}

function startMetricsServer(config: NodeConfig, metrics: NodeMetrics, watched: Watched) {
  const { execution } = watched;
  watchQueues(metrics, watched);
  for (const role of ["consensus", "validator"])
    metrics.database.databaseSize(role, join(config.dir, role, "data.mdb"));
  metrics.database.diskOf(config.dir);
  const read = async () => {
    // Without the execution thread, and while it stops, this side still tells what it knows.
    const { readings } = await execution.metrics().catch(() => ({ readings: [] }));
    return [await metrics.registry.getMetricsAsJSON(), ...readings];
  };
  return serveMetrics(read, config.metricsHost, config.metricsPort);
}

function diskWatchOf({ config, log, fatal }: ConsensusParts): DiskWatch {
  const { dir: directory, minFreeDisk } = config;
  return createDiskWatch({
    log,
    minimumBytes: minFreeDisk * 2 ** 20,
    freeBytes: () => freeBytesOf(directory),
    onFull: (freeBytes) =>
      fatal(
        new DatabaseError({ code: "DATABASE_NO_ROOM", directory, freeBytes, neededBytes: FULL_DISK_BYTES }),
      ),
  });
}

function clockOffsetOf(network: Network): { readonly clockOffsetMs?: number } {
  const clockOffsetMs = network.clockOffsetMs();
  return clockOffsetMs === undefined ? {} : { clockOffsetMs };
}
