/** The consensus of one node as a state machine: an event in, effects out. See specs/consensus/engine.md. */
import { blsAggregateSignatures } from "../primitives/bls.ts";
import { type Hash, toHex } from "../primitives/bytes.ts";
import { onAggregatesSigned, onSelectionsSigned } from "./aggregation-duty.ts";
import { onBlockSigned, onPayloadBuildFailed, onPayloadBuilt, onRandaoSigned } from "./block-production.ts";
import { containersOf, type SignedBeaconBlock } from "./chain-containers.ts";
import { onAttestationSigned } from "./duties.ts";
import type { Effect, EngineEvent } from "./engine-events.ts";
import { closeJob, type Engine } from "./engine-state.ts";
import { getHead } from "./fork-choice-head.ts";
import { createForkChoice } from "./fork-choice-store.ts";
import { replayBlock } from "./import-block.ts";
import { onAggregateReceived, onAggregateVerified } from "./on-aggregate.ts";
import { onAttestationsReceived, onVotesVerified } from "./on-attestation.ts";
import {
  advance,
  onBlockReceived,
  onBodySignatures,
  onPayloadExecuted,
  onProposerSignature,
} from "./on-block.ts";
import { onEvidenceFound, onOperationReceived, onOperationVerified } from "./on-operation.ts";
import { onTick } from "./on-tick.ts";
import { createOperationPool } from "./operation-pool.ts";
import type { ChainParams } from "./params.ts";
import { onBlockRequestEnded, onPeerGone, onPeerStatus, onRangeSyncEnded } from "./peer-claims.ts";
import { askForState, onBlocksLoaded } from "./rebuild-state.ts";
import { computeWeights, getRegistry } from "./registry.ts";
import { settleFinality } from "./settle-finality.ts";
import { type ConsensusState, getLatestBlockRoot } from "./state.ts";
import { createStateCache, getState, keepState } from "./state-cache.ts";
import { stateTransition } from "./state-transition.ts";
import { createSyncGate } from "./sync-gate.ts";
import type { Epoch } from "./time.ts";

/** What a node starts from. */
export type EngineStart = {
  readonly params: ChainParams;
  /** Root of block 0 of the chain. */
  readonly genesisRoot: Hash;
  /** Post-state of the finalized block the node starts from (genesis, or where it stopped). */
  readonly anchorState: ConsensusState;
  /** The epoch whose checkpoint the anchor is. */
  readonly anchorEpoch: Epoch;
  /** Valid blocks above the anchor from our own database, parents first. */
  readonly storedBlocks?: readonly SignedBeaconBlock[];
  /** As last told by the `justified` effect, so that the valve's clock goes on. */
  readonly justifiedAtSlot?: number;
  /** Indices of the validators whose keys this node holds. */
  readonly localValidators: Iterable<number>;
  /** The operator says that this node alone is the network: it needs no peer before it does its duties. */
  readonly isSingleNode?: boolean;
  /** A safety fault was seen before the node stopped, and nobody has decided since: no duties. */
  readonly isFaulted?: boolean;
  /** Whether every verified vote is handed out, for a slasher. */
  readonly hasSlasher?: boolean;
  /** 32 bytes put into our blocks. */
  readonly graffiti?: Uint8Array;
  /** Milliseconds since genesis. */
  readonly nowMs: number;
  /** The aggregate of verified signatures; the simulator puts its stand-in here. */
  readonly aggregateSignatures?: (signatures: readonly Uint8Array[]) => Uint8Array;
};

/**
 * An engine at its anchor, with the stored blocks imported again. It is moved by `step` only, whose first call also
 * hands out what those blocks decided: a node may stop between storing a block and recording the finality it brings.
 */
export function createEngine(start: EngineStart): Engine {
  const { params, anchorState, anchorEpoch, genesisRoot } = start;
  const nowSlot = Math.max(0, Math.floor(start.nowMs / (params.slotSeconds * 1000)));
  const anchorRoot = toHex(getLatestBlockRoot(anchorState));
  const anchorSlot = anchorState.latestBlockHeader.slot;
  const balances = computeWeights(getRegistry(anchorState, params), anchorEpoch);
  const store = createForkChoice(
    params,
    { root: anchorRoot, slot: anchorSlot, epoch: anchorEpoch, balances },
    nowSlot,
  );
  const engine: Engine = {
    chain: {
      ...{ params, containers: containersOf(params), genesisRoot },
      genesisTime: anchorState.genesisTime,
      genesisValidatorsRoot: anchorState.genesisValidatorsRoot,
    },
    localValidators: new Set(start.localValidators),
    hasSlasher: start.hasSlasher ?? false,
    graffiti: start.graffiti ?? new Uint8Array(32),
    aggregateSignatures: start.aggregateSignatures ?? blsAggregateSignatures,
    ...{ nowMs: start.nowMs, clockOffsetMs: 0, hasStarted: false, isFaulted: start.isFaulted ?? false },
    ...{ store, states: createStateCache(), blocks: new Map(), advancedStates: new Map() },
    announced: { head: "0x", justified: "0x", finalized: "0x" },
    announcedSubnets: [],
    ...{ pendingBlocks: new Map(), invalidRoots: new Set(), abandonedRoots: new Set() },
    decidedBlocks: new Map(),
    ...{ prunedRoots: new Set(), settled: store.finalized },
    ...{ seenProposals: new Map(), pendingVotes: new Map(), voteRecords: new Map(), votePool: new Map() },
    ...{ operationPool: createOperationPool(), seenAggregators: new Map(), selections: new Map() },
    ...{ peers: new Map(), gate: createSyncGate(start.isSingleNode ?? false) },
    ...{ blockRequests: new Map(), rangeSyncs: new Map() },
    ...{ attestedSlot: 0, selectedSlot: -1, aggregatedSlot: 0, ownVote: undefined },
    ...{ proposedSlot: 0, proposal: undefined, blockArrivalMs: undefined },
    ...{ nextJobId: 1, jobs: new Map(), outbox: [] },
  };
  engine.blocks.set(anchorRoot, {
    ...{ root: anchorRoot, parentRoot: toHex(anchorState.latestBlockHeader.parentRoot), slot: anchorSlot },
    ...{ blockHash: toHex(anchorState.latestExecutionPayloadHeader.blockHash), attestations: [] },
  });
  keepState(engine.states, anchorRoot, anchorState, []);
  replay(engine, start);
  return engine;
}

function replay(engine: Engine, { storedBlocks = [], justifiedAtSlot, params }: EngineStart): void {
  const { store, states } = engine;
  for (const block of storedBlocks) {
    const parentState = getState(states, toHex(block.message.parentRoot));
    // A branch that a later stored block finalized away.
    if (parentState === undefined || block.message.slot > store.nowSlot) continue;
    replayBlock(engine, block, stateTransition(parentState, block.message, params));
  }
  if (justifiedAtSlot !== undefined) store.justifiedAtSlot = Math.min(justifiedAtSlot, store.nowSlot);
  getHead(store);
}

/**
 * Handles one event to its end and returns the wishes it leads to, in the order in which they are to be carried out.
 *
 * Nothing a peer sends makes it throw. An answer to a wish comes as another event, also when it is known at once.
 */
export function step(engine: Engine, event: EngineEvent): Effect[] {
  handle(engine, event);
  const effects = engine.outbox;
  engine.outbox = [];
  return effects;
}

function handle(engine: Engine, event: EngineEvent): void {
  switch (event.type) {
    case "tick":
      onTick(engine, event.nowMs, event.clockOffsetMs);
      break;
    case "blockReceived":
      onBlockReceived(engine, event);
      break;
    case "attestationsReceived":
      onAttestationsReceived(engine, event);
      break;
    case "aggregateReceived":
      onAggregateReceived(engine, event);
      break;
    case "operationReceived":
      onOperationReceived(engine, event);
      break;
    case "evidenceFound":
      onEvidenceFound(engine, event.slashing);
      break;
    case "localValidatorsJoined":
      engine.localValidators = new Set([...engine.localValidators, ...event.validatorIndices]);
      break;
    case "localValidatorsLeft":
      engine.localValidators = new Set(without(engine.localValidators, event.validatorIndices));
      break;
    case "peerStatus":
      onPeerStatus(engine, event);
      break;
    case "peerGone":
      onPeerGone(engine, event.peer);
      break;
    case "blockRequestEnded":
      onBlockRequestEnded(engine, event);
      break;
    case "rangeSyncEnded":
      onRangeSyncEnded(engine, event);
      break;
    default:
      onAnswer(engine, event);
      break;
  }
}

function without(all: ReadonlySet<number>, gone: readonly number[]): readonly number[] {
  return [...all].filter((validatorIndex) => !gone.includes(validatorIndex));
}

type Answer = Extract<EngineEvent, { readonly id: number }>;

/** Matches an answer with its wish; one that nobody waits for, or of the wrong kind, is let go. */
function onAnswer(engine: Engine, event: Answer): void {
  const job = closeJob(engine, event.id);
  if (job === undefined) return;
  switch (event.type) {
    case "signaturesVerified":
      if (job.kind === "proposerSignature") onProposerSignature(engine, job.root, event.valid[0] === true);
      else if (job.kind === "bodySignatures") onBodySignatures(engine, job.root, event.valid);
      else if (job.kind === "operation") {
        onOperationVerified(engine, job.operation, job.messageId, event.valid);
      } else if (job.kind === "votes") onVotesVerified(engine, job.votes, job.message, event.valid);
      else if (job.kind === "aggregate") onAggregateVerified(engine, job.vote, job.message, event.valid);
      return;
    case "payloadExecuted":
      if (job.kind === "payload") onPayloadExecuted(engine, job.root, event.verdict);
      return;
    case "payloadBuilt":
      if (job.kind === "payloadBuilding") onPayloadBuilt(engine, job.slot, event);
      return;
    case "payloadBuildFailed":
      if (job.kind === "payloadBuilding") onPayloadBuildFailed(engine, job.slot);
      return;
    case "signed":
      onSigned(engine, job, event.signatures);
      return;
    case "blocksLoaded":
      if (job.kind === "states") onLoaded(engine, job.target, event.blocks);
      return;
    default:
      event satisfies never;
  }
}

function onSigned(
  engine: Engine,
  job: NonNullable<ReturnType<typeof closeJob>>,
  signatures: readonly (Uint8Array | undefined)[],
): void {
  if (job.kind === "randao") onRandaoSigned(engine, job.slot, signatures[0]);
  else if (job.kind === "blockSigning") onBlockSigned(engine, job.slot, signatures[0]);
  else if (job.kind === "attestationSigning") {
    onAttestationSigned(engine, job.vote, job.validatorIndices, signatures);
  } else if (job.kind === "selectionSigning") onSelectionsSigned(engine, job.slot, job.members, signatures);
  else if (job.kind === "aggregateSigning") onAggregatesSigned(engine, job.aggregates, signatures);
}

/** A state was rebuilt, or a stage of the way to it: whoever waited goes on. */
function onLoaded(engine: Engine, target: Hash, blocks: readonly SignedBeaconBlock[]): void {
  const isThere = onBlocksLoaded(engine, target, blocks);
  settleFinality(engine);
  if (!isThere && engine.blocks.has(target) && blocks.length > 0) {
    askForState(engine, target);
    return;
  }
  for (const pending of [...engine.pendingBlocks.values()]) {
    if (pending.stage === "waitingForState" && pending.parentRoot === target) advance(engine, pending);
  }
}
