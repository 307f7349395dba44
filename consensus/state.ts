/** Reading and copying the consensus state. See specs/consensus/containers.md#beaconstate. */
import { equalBytes } from "../primitives/bytes.ts";
import { BeaconBlockHeader, type Checkpoint, type ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { BeaconStateView } from "./state-containers.ts";
import { computeCheckpointSlot, computePeriodAtSlot, type Epoch, type Period, type Slot } from "./time.ts";

/**
 * A state. What is parsed from it (registry, weights, shufflings) is remembered elsewhere by tree node, so a
 * copy costs nothing and shares everything until it is changed.
 */
export type ConsensusState = BeaconStateView;

export const ZERO_ROOT = new Uint8Array(32);

/** A draft that may be changed; the original stays as it was. */
export function forkState(state: ConsensusState): ConsensusState {
  // A clone starts from the tree, so pending changes must be in it.
  state.commit();
  return state.clone();
}

/** hash_tree_root of the state; commits pending changes. */
export function getStateRoot(state: ConsensusState): Uint8Array {
  return state.batchHashTreeRoot();
}

/** Root of the last block the state contains. */
export function getLatestBlockRoot(state: ConsensusState): Uint8Array {
  return BeaconBlockHeader.hashTreeRoot(getLatestBlockHeader(state));
}

/** Header of the last block; its state root is unknown to the state until the next slot. */
export function getLatestBlockHeader(state: ConsensusState): BeaconBlockHeader {
  const header = state.latestBlockHeader;
  return isZero(header.stateRoot) ? { ...header, stateRoot: getStateRoot(state) } : header;
}

/** Root of the last block at or before `slot`, which lies less than SPHR before the state's slot. */
export function getBlockRootAtSlot(state: ConsensusState, slot: Slot, params: ChainParams): Uint8Array {
  return state.blockRoots.get(slot % params.slotsPerHistoricalRoot);
}

/** Root of the checkpoint block of `epoch`, whose checkpoint slot is within SPHR. */
export function getCheckpointRoot(state: ConsensusState, epoch: Epoch, params: ChainParams): Uint8Array {
  return getBlockRootAtSlot(state, computeCheckpointSlot(epoch, params), params);
}

export function getRandaoMix(state: ConsensusState, period: Period, params: ChainParams): Uint8Array {
  return state.randaoMixes.get(period % params.randaoMixesLength);
}

/** The mix a payload of the state's slot carries (EIP-4399). */
export function getCurrentRandaoMix(state: ConsensusState, params: ChainParams): Uint8Array {
  return getRandaoMix(state, computePeriodAtSlot(state.slot, params), params);
}

/** Who may propose at `slot`, which lies in the state's period or the next; undefined elsewhere. */
export function getProposerIndex(
  state: ConsensusState,
  slot: Slot,
  params: ChainParams,
): ValidatorIndex | undefined {
  const offset = slot - computePeriodAtSlot(state.slot, params) * params.periodSlots;
  if (offset < 0 || offset >= 2 * params.periodSlots) return undefined;
  return state.proposerLookahead.get(offset);
}

export function equalCheckpoints(a: Checkpoint, b: Checkpoint): boolean {
  return a.epoch === b.epoch && equalBytes(a.root, b.root);
}

function isZero(root: Uint8Array): boolean {
  return root.every((byte) => byte === 0);
}
