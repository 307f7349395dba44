/** The state after a block. See specs/consensus/state-transition.md. */
import { equalBytes, toHex } from "../primitives/bytes.ts";
import { BlockError } from "./block-errors.ts";
import type { BeaconBlock } from "./chain-containers.ts";
import { processFinalization } from "./finality.ts";
import type { ChainParams } from "./params.ts";
import { processAttestations } from "./process-attestations.ts";
import { processBlockHeader } from "./process-block-header.ts";
import { processPayload } from "./process-payload.ts";
import { processRandao } from "./process-randao.ts";
import { processRequests } from "./process-requests.ts";
import { processAttesterSlashings, processProposerSlashings } from "./process-slashing-evidence.ts";
import { processSlots } from "./process-slots.ts";
import { processVoluntaryExits } from "./process-voluntary-exits.ts";
import { processWithdrawals } from "./process-withdrawals.ts";
import { type ConsensusState, forkState, getStateRoot } from "./state.ts";

/**
 * State after `block`, given a state of its parent: the parent's own post-state, or that state advanced over
 * empty slots, not beyond the block's.
 *
 * The pre-state is left as it was. Signatures are checked elsewhere, (headerSignatureSet, bodySignatureSets), and the
 * execution payload by the execution side.
 *
 * @param block its slot is not in the future.
 * @throws BlockError when the block breaks a rule.
 * @see specs/consensus/state-transition.md#state_transition
 */
export function stateTransition(
  preState: ConsensusState,
  block: BeaconBlock,
  params: ChainParams,
): ConsensusState {
  const state = applyBlock(preState, block, params);
  const actual = getStateRoot(state);
  if (!equalBytes(block.stateRoot, actual)) {
    throw new BlockError({
      code: "BLOCK_STATE_ROOT_MISMATCH",
      expected: toHex(actual),
      actual: toHex(block.stateRoot),
    });
  }
  return state;
}

/** stateTransition without the check of the block's state root, for the proposer who is about to fill it in. */
export function applyBlock(
  preState: ConsensusState,
  block: BeaconBlock,
  params: ChainParams,
): ConsensusState {
  const parentSlot = preState.latestBlockHeader.slot;
  if (block.slot <= parentSlot || block.slot < preState.slot) {
    throw new BlockError({ code: "BLOCK_NOT_AFTER_PARENT", slot: block.slot, parentSlot });
  }
  const state = forkState(preState);
  processSlots(state, block.slot, params);
  processBlockHeader(state, block, params);
  const { body } = block;
  processWithdrawals(state, body.executionPayload.withdrawals, params);
  processPayload(state, body.executionPayload, params);
  processRequests(state, body.executionRequests, params);
  processRandao(state, body.randaoReveal, params);
  processProposerSlashings(state, body.proposerSlashings, params);
  processAttesterSlashings(state, body.attesterSlashings, params);
  const changes = processAttestations(state, body.attestations, params);
  processVoluntaryExits(state, body.voluntaryExits, params);
  processFinalization(state, changes, params);
  return state;
}
