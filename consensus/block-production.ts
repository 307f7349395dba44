/** Proposing: reveal, payload, votes, signature, and out. See specs/consensus/duties.md#proposing. */
import { fromHex, toHex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { getStateInPeriod } from "./advanced-state.ts";
import type { BeaconBlock, SignedBeaconBlock } from "./chain-containers.ts";
import { mayDoDuties } from "./duties.ts";
import { type BuiltPayload, type Engine, emit, openJob, type Proposal } from "./engine-state.ts";
import { onBlockReceived } from "./on-block.ts";
import { packOperations } from "./operation-pool.ts";
import type { ChainParams } from "./params.ts";
import { processRequests } from "./process-requests.ts";
import { processSlots } from "./process-slots.ts";
import { getExpectedWithdrawals, processWithdrawals } from "./process-withdrawals.ts";
import { askForState } from "./rebuild-state.ts";
import { headerSigningRoot, randaoSigningRoot } from "./signature-sets.ts";
import {
  type ConsensusState,
  forkState,
  getCurrentRandaoMix,
  getProposerIndex,
  getStateRoot,
  ZERO_ROOT,
} from "./state.ts";
import { applyBlock } from "./state-transition.ts";
import { computeEpochAtSlot, computeTimestampAtSlot, type Slot } from "./time.ts";
import { packVotes } from "./vote-packing.ts";

/** At a slot's start: begins a block if a local validator proposes and the node is in sync. */
export function propose(engine: Engine): void {
  const { store, chain } = engine;
  const { params } = chain;
  const slot = store.nowSlot;
  if (slot === 0 || engine.proposedSlot >= slot || engine.localValidators.size === 0) return;
  if (!mayDoDuties(engine)) return;
  const parentRoot = store.headRoot;
  const parentState = getStateInPeriod(engine, parentRoot, slot);
  if (parentState === undefined) askForState(engine, parentRoot);
  if (parentState === undefined || (engine.blocks.get(parentRoot)?.slot ?? 0) >= slot) return;
  const proposerIndex = getProposerIndex(parentState, slot, params);
  if (proposerIndex === undefined || !engine.localValidators.has(proposerIndex)) return;
  engine.proposedSlot = slot;

  const state = atSlot(engine, parentState, slot);
  if (state.validators.getReadonly(proposerIndex).slashed) return;
  engine.proposal = {
    slot,
    proposerIndex,
    parentRoot,
    randaoReveal: undefined,
    payload: undefined,
    block: undefined,
  };
  emit(engine, {
    type: "signRandao",
    id: openJob(engine, { kind: "randao", slot }),
    ...{ validatorIndex: proposerIndex, epoch: computeEpochAtSlot(slot, params) },
    signingRoot: randaoSigningRoot(state, slot, params),
  });
  emit(engine, {
    type: "buildPayload",
    id: openJob(engine, { kind: "payloadBuilding", slot }),
    parentHash: toHex(state.latestExecutionPayloadHeader.blockHash),
    timestamp: computeTimestampAtSlot(chain.genesisTime, slot, params),
    prevRandao: toHex(getCurrentRandaoMix(state, params)),
    withdrawals: getExpectedWithdrawals(state, params).withdrawals,
    ...{ parentBeaconBlockRoot: parentRoot, proposerIndex },
  });
}

function atSlot(engine: Engine, parentState: ConsensusState, slot: Slot): ConsensusState {
  const state = forkState(parentState);
  processSlots(state, slot, engine.chain.params);
  return state;
}

export function onRandaoSigned(engine: Engine, slot: Slot, reveal: Uint8Array | undefined): void {
  const proposal = proposalOf(engine, slot);
  if (proposal === undefined) return;
  if (reveal === undefined) {
    giveUp(engine, proposal, "SIGNING_REFUSED");
    return;
  }
  proposal.randaoReveal = reveal;
  assemble(engine, proposal);
}

export function onPayloadBuilt(
  engine: Engine,
  slot: Slot,
  { payload, requests, graffiti }: BuiltPayload,
): void {
  const proposal = proposalOf(engine, slot);
  if (proposal === undefined) return;
  proposal.payload = { payload, requests, graffiti };
  assemble(engine, proposal);
}

export function onPayloadBuildFailed(engine: Engine, slot: Slot): void {
  const proposal = proposalOf(engine, slot);
  if (proposal !== undefined) giveUp(engine, proposal, "PAYLOAD_NOT_BUILT");
}

/** Reveal and payload are there: packs votes, computes the state root, asks for the signature. */
function assemble(engine: Engine, proposal: Proposal): void {
  const { params, containers } = engine.chain;
  const { slot, proposerIndex, parentRoot, randaoReveal, payload } = proposal;
  if (randaoReveal === undefined || payload === undefined || proposal.block !== undefined) return;
  const parentState = getStateInPeriod(engine, parentRoot, slot);
  if (parentState === undefined) {
    giveUp(engine, proposal, "PARENT_PRUNED");
    return;
  }
  const state = atSlot(engine, parentState, slot);
  let block: BeaconBlock;
  try {
    const body = {
      ...containers.BeaconBlockBody.defaultValue(),
      ...{ randaoReveal, graffiti: payload.graffiti ?? engine.graffiti },
      attestations: packVotes(engine, state, parentRoot),
      executionPayload: payload.payload,
      executionRequests: payload.requests,
      ...packOperations(engine.operationPool, afterPayload(state, payload, params), params),
    };
    const draft = { slot, proposerIndex, parentRoot: fromHex(parentRoot), stateRoot: ZERO_ROOT, body };
    block = { ...draft, stateRoot: getStateRoot(applyBlock(parentState, draft, params)) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // The execution side built what consensus does not allow; a lost slot, not a lost node.
    giveUp(engine, proposal, error.detail.code);
    return;
  }
  proposal.block = block;
  const { body, ...rest } = block;
  const header = { ...rest, bodyRoot: containers.BeaconBlockBody.hashTreeRoot(body) };
  emit(engine, {
    type: "signBlock",
    id: openJob(engine, { kind: "blockSigning", slot }),
    ...{ validatorIndex: proposerIndex, slot, header },
    signingRoot: headerSigningRoot(parentState, header, params),
  });
}

/** The state in which the operations of a block find the registry: exits may have been asked for before them. */
function afterPayload(
  state: ConsensusState,
  { payload, requests }: BuiltPayload,
  params: ChainParams,
): ConsensusState {
  const draft = forkState(state);
  processWithdrawals(draft, payload.withdrawals, params);
  processRequests(draft, requests, params);
  return draft;
}

/** Out it goes, and in through the same door as everyone's. */
export function onBlockSigned(engine: Engine, slot: Slot, signature: Uint8Array | undefined): void {
  const proposal = proposalOf(engine, slot);
  if (proposal?.block === undefined) return;
  if (signature === undefined) {
    giveUp(engine, proposal, "SIGNING_REFUSED");
    return;
  }
  engine.proposal = undefined;
  const block: SignedBeaconBlock = { message: proposal.block, signature };
  const root = toHex(engine.chain.containers.BeaconBlock.hashTreeRoot(block.message));
  emit(engine, { type: "publishBlock", root, block });
  onBlockReceived(engine, { type: "blockReceived", block, arrivalMs: engine.nowMs, origin: { kind: "own" } });
}

/** An answer that comes after its slot is of no use. */
function proposalOf(engine: Engine, slot: Slot): Proposal | undefined {
  return engine.proposal?.slot === slot && engine.store.nowSlot === slot ? engine.proposal : undefined;
}

function giveUp(engine: Engine, { slot, proposerIndex }: Proposal, reason: string): void {
  engine.proposal = undefined;
  emit(engine, { type: "proposalFailed", slot, validatorIndex: proposerIndex, reason });
}
