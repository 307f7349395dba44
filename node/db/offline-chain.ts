/** A node's chain without its network, duties and servers: blocks go in, and everything a syncing node does with them is done. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { type Address, toHex, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { createBlockOutcomes } from "../chain/block-outcomes.ts";
import { createChain } from "../chain/chain.ts";
import { createInOrder } from "../chain/in-order.ts";
import { openEngine } from "../chain/open-engine.ts";
import { createEffectRunner } from "../chain/run-effects.ts";
import { ExecutionChain } from "../execution/execution-chain.ts";
import { createExecutionService, type TransactionPool } from "../execution/execution-service.ts";
import { openContractMachine } from "../execution/open-machine.ts";
import { chainConfigOf } from "../genesis.ts";
import { createLog, type LogLevel } from "../log.ts";
import { createNodeMetrics } from "../metrics/consensus-metrics.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import type { SlashingProtection } from "../storage/slashing-protection.ts";
import type { ImportOutcome } from "../sync/sync-port.ts";
import { indicesOfKeys } from "../validator/key-indices.ts";
import type { Keyring } from "../validator/keyring.ts";
import { createSigner, type Signer } from "../validator/signer.ts";
import type { Folder } from "./folder.ts";

export type OfflineChain = {
  /** Checks and executes an encoded block; `reason` is a stable code of the engine. */
  importBlock(bytes: Uint8Array): Promise<{ readonly slot: number; readonly outcome: ImportOutcome }>;
  /** Slot of the head. */
  headSlot(): number;
  /** Tells the engine what time it is: with duties it proposes and votes. */
  tick(): void;
  /** One turn of the event loop, for what goes through promises. */
  turn(): Promise<void>;
  /** Resolves when everything so far is on disk. */
  settled(): Promise<void>;
};

/** A chain that does duties as well: alone it makes blocks of what the pool gives it. */
export type OfflineDuties = {
  readonly keyring: Keyring;
  readonly protection: SlashingProtection;
  readonly pool: TransactionPool;
  readonly feeRecipient: Address;
};

const NOTHING = (): void => undefined;
/** Nobody waits for the block. */
const BUILD_MS = 60_000;
const LEVEL: LogLevel = "error";

/** @param nowMs Unix time: blocks of later slots are refused. */
export function openOfflineChain(folder: Folder, nowMs: () => number, duties?: OfflineDuties): OfflineChain {
  const { spec, genesis, containers, codec, consensus } = folder;
  const blocks = new ConsensusBlocks(consensus);
  const sinceGenesis = () => nowMs() - spec.genesisTime * 1000;
  const engine = openEngine({
    ...{ params: spec.params, genesis, blocks, codec },
    localValidators: (state) => (duties === undefined ? [] : indicesOfKeys(state, duties.keyring)),
    ...{ nowMs: sinceGenesis(), isSingleNode: duties !== undefined },
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
    ...{ submit, codec, containers, blocks, outcomes, inOrder, fatal },
    ...{
      log: createLog({ levels: { level: LEVEL, modules: {} }, json: false }),
      metrics: createNodeMetrics(),
    },
    ...inertPorts(duties?.feeRecipient ?? ZERO_ADDRESS),
    signer: duties === undefined ? SIGNS_NOTHING : signerOf(duties, engine),
    safetyFault: { record: () => fatal(new Error("a block finalizes what contradicts this chain")) },
    execution: openExecutionService(folder, duties?.pool ?? EMPTY_POOL),
  });
  chain.start(perform);
  const tick = () => submit({ type: "tick", nowMs: sinceGenesis() });
  tick();
  const assertWell = () => {
    if (failure !== undefined) throw failure;
  };
  return {
    tick,
    async turn() {
      await new Promise((resolve) => setImmediate(resolve));
      assertWell();
    },
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
      assertWell();
      return { slot, outcome };
    },
    headSlot: () => engine.blocks.get(engine.store.headRoot)?.slot ?? 0,
    async settled() {
      await inOrder.settled();
      assertWell();
    },
  };
}

const SIGNS_NOTHING: Signer = {
  signAttestation: async () => [],
  signBlock: async () => [],
  signRandao: async () => [],
  signSelections: async () => [],
  signAggregates: async () => [],
  signExit: async () => undefined,
};

function signerOf({ keyring, protection }: OfflineDuties, engine: Engine): Signer {
  return createSigner({
    ...{ keyring, protection, onRefused: NOTHING, signRemotely: async () => undefined },
    publicKeyOf: (index) => {
      const validators = getState(engine.states, engine.store.headRoot)?.validators;
      return validators === undefined || index >= validators.length
        ? undefined
        : toHex(validators.getReadonly(index).pubkey);
    },
  });
}

/** Nobody to talk to. */
function inertPorts(feeRecipient: Address) {
  return {
    network: {
      reportVerdict: () => false,
      penalize: NOTHING,
      publish: async () => 0,
      setSubnets: NOTHING,
    },
    sync: { requestBlock: NOTHING, startRange: NOTHING, targetSlot: () => undefined, stop: NOTHING },
    report: { onSlot: NOTHING },
    disk: { isShort: () => false },
    proposals: () => ({
      ...{ feeRecipient, gasLimitTarget: 30_000_000n, extraData: new Uint8Array(0), budgetMs: BUILD_MS },
    }),
    onHead: NOTHING,
    onFinalizedState: NOTHING,
  };
}

const EMPTY_POOL: TransactionPool = {
  get: () => undefined,
  best: () => ({ next: () => undefined, skipSender: NOTHING }),
  status: () => ({ pending: 0, queued: 0 }),
};

/** The execution side in the same thread. */
function openExecutionService({ spec, execution, executionGenesis }: Folder, pool: TransactionPool) {
  const chain = new ExecutionChain({
    database: execution,
    config: chainConfigOf(spec),
    genesis: executionGenesis,
    machine: openContractMachine(),
  });
  return createExecutionService({
    chain,
    params: spec.params,
    pool,
    admitGossip: async () => [],
    nowMs: () => performance.now(),
    readMetrics: async () => [],
    onConsensusStatus: NOTHING,
    onLivePicture: NOTHING,
    onStop: async () => undefined,
  });
}
