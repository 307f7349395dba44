/** A node's chain without its network, duties and servers: blocks go in, and everything a syncing node does with them is done. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import { ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { createBlockOutcomes } from "../chain/block-outcomes.ts";
import { createChain } from "../chain/chain.ts";
import { createInOrder } from "../chain/in-order.ts";
import { openEngine } from "../chain/open-engine.ts";
import { createEffectRunner } from "../chain/run-effects.ts";
import { ExecutionChain } from "../execution/execution-chain.ts";
import { createExecutionService } from "../execution/execution-service.ts";
import { openContractMachine } from "../execution/open-machine.ts";
import { chainConfigOf } from "../genesis.ts";
import { createLog, type LogLevel } from "../log.ts";
import { createNodeMetrics } from "../metrics/consensus-metrics.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import type { ImportOutcome } from "../sync/sync-port.ts";
import type { Folder } from "./folder.ts";

export type OfflineChain = {
  /** Checks and executes an encoded block; `reason` is a stable code of the engine. */
  importBlock(bytes: Uint8Array): Promise<{ readonly slot: number; readonly outcome: ImportOutcome }>;
  /** Slot of the head. */
  headSlot(): number;
  /** Resolves when everything so far is on disk. */
  settled(): Promise<void>;
};

const NOTHING = (): void => undefined;

/** @param nowMs Unix time: blocks of later slots are refused. */
export function openOfflineChain(
  folder: Folder,
  nowMs: () => number,
  level: LogLevel = "error",
): OfflineChain {
  const { spec, genesis, containers, codec, consensus } = folder;
  const blocks = new ConsensusBlocks(consensus);
  const sinceGenesis = () => nowMs() - spec.genesisTime * 1000;
  const engine = openEngine({
    ...{ params: spec.params, genesis, blocks, codec },
    ...{ localValidators: () => [], nowMs: sinceGenesis() },
  });
  let failure: unknown;
  const fatal = (error: unknown) => {
    failure ??= error;
  };
  const chain = createChain(engine);
  const submit = (event: EngineEvent) => chain.submit(event);
  const outcomes = createBlockOutcomes();
  const inOrder = createInOrder(fatal);
  const perform = createEffectRunner({
    ...{ engine, submit, codec, containers, blocks, outcomes, inOrder, fatal },
    ...{ log: createLog({ levels: { level, modules: {} }, json: false }), metrics: createNodeMetrics() },
    ...inertPorts(),
    safetyFault: { record: () => fatal(new Error("a block finalizes what contradicts this chain")) },
    execution: openExecutionService(folder),
  });
  chain.start(perform);
  submit({ type: "tick", nowMs: sinceGenesis() });
  return {
    async importBlock(bytes) {
      const { slot, root, block } = codec.read(bytes);
      const processed = outcomes.wait(root);
      submit({
        type: "blockReceived",
        block,
        arrivalMs: sinceGenesis(),
        origin: { kind: "sync", peer: "a file" },
      });
      const outcome = await processed;
      if (failure !== undefined) throw failure;
      return { slot, outcome };
    },
    headSlot: () => engine.blocks.get(engine.store.headRoot)?.slot ?? 0,
    async settled() {
      await inOrder.settled();
      if (failure !== undefined) throw failure;
    },
  };
}

/** Nobody to talk to, nothing to sign. */
function inertPorts() {
  const signer = {
    signAttestation: async () => [],
    signBlock: async () => [],
    signRandao: () => [],
    signSelections: () => [],
    signAggregates: () => [],
  };
  return {
    signer,
    network: {
      reportVerdict: () => false,
      penalize: NOTHING,
      publish: async () => 0,
      setSubnets: NOTHING,
    },
    sync: { requestBlock: NOTHING, startRange: NOTHING, targetSlot: () => undefined, stop: NOTHING },
    report: { onSlot: NOTHING },
    disk: { isShort: () => false },
    proposals: {
      ...{ feeRecipient: ZERO_ADDRESS, gasLimitTarget: 0n, extraData: new Uint8Array(0), budgetMs: 0 },
    },
    onHead: NOTHING,
    onFinalizedState: NOTHING,
  };
}

/** The execution side in the same thread, with an empty pool. */
function openExecutionService({ spec, execution, executionGenesis }: Folder) {
  const chain = new ExecutionChain({
    database: execution,
    config: chainConfigOf(spec),
    genesis: executionGenesis,
    machine: openContractMachine(),
  });
  return createExecutionService({
    chain,
    params: spec.params,
    pool: {
      get: () => undefined,
      best: () => ({ next: () => undefined, skipSender: NOTHING }),
      status: () => ({ pending: 0, queued: 0 }),
    },
    admitGossip: async () => [],
    nowMs: () => performance.now(),
    readMetrics: async () => [],
    onConsensusStatus: NOTHING,
    onLivePicture: NOTHING,
    onStop: async () => undefined,
  });
}
