/** Blocks made by hand, without signatures: the state transition checks none. */
import { deepEqual, equal } from "node:assert/strict";
import { BitArray } from "@chainsafe/ssz";
import { BlockError, type BlockErrorDetail } from "../../consensus/block-errors.ts";
import { type Attestation, type BeaconBlock, containersOf } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import { type ChainSpec, createGenesis, type Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { getExpectedWithdrawals } from "../../consensus/process-withdrawals.ts";
import { getCommittees } from "../../consensus/selection.ts";
import {
  type ConsensusState,
  forkState,
  getBlockRootAtSlot,
  getCheckpointRoot,
  getCurrentRandaoMix,
  getLatestBlockRoot,
  getProposerIndex,
  getStateRoot,
} from "../../consensus/state.ts";
import { applyBlock, stateTransition } from "../../consensus/state-transition.ts";
import { computeEpochAtSlot, computeTimestampAtSlot } from "../../consensus/time.ts";
import { compoundingCredentials } from "../../consensus/withdrawal-credentials.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";

export const GENESIS_TIME = 1_700_000_000;
export const COIN = 1_000_000_000n;

const publicKeys: Uint8Array[] = [];

function publicKeyOf(index: number): Uint8Array {
  publicKeys[index] ??= blsPublicKey(interopSecretKey(index));
  return publicKeys[index];
}

/** A chain specification with one validator per stake, in coins. */
export function chainSpec(params: ChainParams, stakes: readonly number[]): ChainSpec {
  const executionHeader = containersOf(params).ExecutionPayloadHeader.defaultValue();
  return {
    params,
    genesisTime: GENESIS_TIME,
    validators: stakes.map((coins, index) => ({
      pubkey: publicKeyOf(index),
      withdrawalCredentials: compoundingCredentials(new Uint8Array(20).fill(index)),
      amount: BigInt(coins) * COIN,
    })),
    executionHeader: {
      ...executionHeader,
      timestamp: GENESIS_TIME,
      blockHash: new Uint8Array(32).fill(0xe0),
    },
  };
}

const genesisByParams = new WeakMap<ChainParams, Map<string, Genesis>>();

/** Made once per specification: checking keys is slow. Nobody changes the state; drafts are forked from it. */
export function genesisWith(params: ChainParams, stakes: readonly number[]): Genesis {
  const known = genesisByParams.get(params) ?? new Map<string, Genesis>();
  genesisByParams.set(params, known);
  const genesis = known.get(stakes.join()) ?? createGenesis(chainSpec(params, stakes));
  known.set(stakes.join(), genesis);
  return genesis;
}

export function equalStakes(count: number): number[] {
  return new Array<number>(count).fill(32);
}

/** A copy of the state at the beginning of `slot`. */
export function advanced(state: ConsensusState, slot: number, params: ChainParams): ConsensusState {
  const draft = forkState(state);
  processSlots(draft, slot, params);
  return draft;
}

/** A valid block at `slot` on top of `parent`, once its state root is filled in. */
export function unsealedBlock(
  parent: ConsensusState,
  slot: number,
  attestations: readonly Attestation[],
  params: ChainParams,
): BeaconBlock {
  const pre = advanced(parent, slot, params);
  const block = containersOf(params).BeaconBlock.defaultValue();
  block.slot = slot;
  block.proposerIndex = getProposerIndex(pre, slot, params)!;
  block.parentRoot = getLatestBlockRoot(pre);
  block.body.randaoReveal = new Uint8Array(96).fill(slot & 255);
  block.body.attestations = [...attestations];
  block.body.executionPayload.withdrawals = [...getExpectedWithdrawals(pre, params).withdrawals];
  block.body.executionPayload.parentHash = pre.latestExecutionPayloadHeader.blockHash;
  block.body.executionPayload.prevRandao = getCurrentRandaoMix(pre, params);
  block.body.executionPayload.timestamp = computeTimestampAtSlot(pre.genesisTime, slot, params);
  block.body.executionPayload.blockNumber = slot;
  block.body.executionPayload.blockHash = new Uint8Array(32).fill(slot & 255, 0, 31);
  return block;
}

/** The block with the root of the state it leads to, and that state. */
export function seal(
  parent: ConsensusState,
  block: BeaconBlock,
  params: ChainParams,
): { readonly block: BeaconBlock; readonly state: ConsensusState } {
  const state = applyBlock(parent, block, params);
  return { block: { ...block, stateRoot: getStateRoot(state) }, state };
}

/** Why the block is refused, after checking that the pre-state is what it was. */
export function refusal(pre: ConsensusState, block: BeaconBlock, params: ChainParams): BlockErrorDetail {
  const before = toHex(getStateRoot(pre));
  const bytes = pre.serialize();
  try {
    stateTransition(pre, block, params);
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    equal(toHex(getStateRoot(pre)), before);
    deepEqual(pre.serialize(), bytes);
    return error.detail;
  }
  throw new Error("the block was accepted");
}

/** State after a block at `slot` with these votes. */
export function extend(
  parent: ConsensusState,
  slot: number,
  attestations: readonly Attestation[],
  params: ChainParams,
): ConsensusState {
  return seal(parent, unsealedBlock(parent, slot, attestations, params), params).state;
}

/** What an honest voter at `slot` says on this chain; `state` lies after the slot. */
export function honestData(state: ConsensusState, slot: number, params: ChainParams): AttestationData {
  const epoch = computeEpochAtSlot(slot, params);
  const source = state.justified.epoch < epoch ? state.justified : state.finalized;
  return {
    slot,
    index: 0,
    beaconBlockRoot: getBlockRootAtSlot(state, slot, params),
    source,
    target: { epoch, root: getCheckpointRoot(state, epoch, params) },
  };
}

/** The votes of the members of the slot's only committee whose validator index is listed. */
export function voteOf(
  state: ConsensusState,
  data: AttestationData,
  voters: readonly number[],
  params: ChainParams,
): Attestation {
  const [committee = new Uint32Array()] = getCommittees(state, data.slot, params);
  return {
    data,
    aggregationBits: BitArray.fromBoolArray(Array.from(committee, (index) => voters.includes(index))),
    committeeBits: BitArray.fromSingleBit(params.maxCommitteesPerSlot, 0),
    signature: new Uint8Array(96),
  };
}
