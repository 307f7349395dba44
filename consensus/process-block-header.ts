/** The header of a block: slot, proposer, parent. See specs/consensus/state-transition.md#header. */
import { equalBytes, toHex } from "../primitives/bytes.ts";
import { BlockError } from "./block-errors.ts";
import { type BeaconBlock, containersOf } from "./chain-containers.ts";
import type { ChainParams } from "./params.ts";
import { getRegistry } from "./registry.ts";
import { type ConsensusState, getLatestBlockRoot, getProposerIndex, ZERO_ROOT } from "./state.ts";

/** @throws BlockError */
export function processBlockHeader(state: ConsensusState, block: BeaconBlock, params: ChainParams): void {
  const { slot, proposerIndex, parentRoot } = block;
  const expectedProposer = getProposerIndex(state, slot, params);
  if (proposerIndex !== expectedProposer) {
    throw new BlockError({ code: "BLOCK_WRONG_PROPOSER", expected: expectedProposer, actual: proposerIndex });
  }
  const isSlashed = getRegistry(state, params).slashed[proposerIndex] === 1;
  if (isSlashed && params.rules.slashedDoNotPropose) {
    throw new BlockError({ code: "BLOCK_PROPOSER_SLASHED", proposerIndex });
  }
  const expectedParent = getLatestBlockRoot(state);
  if (!equalBytes(parentRoot, expectedParent)) {
    throw new BlockError({
      code: "BLOCK_PARENT_ROOT_MISMATCH",
      expected: toHex(expectedParent),
      actual: toHex(parentRoot),
    });
  }
  const bodyRoot = containersOf(params).BeaconBlockBody.hashTreeRoot(block.body);
  // The state root is filled in at the next slot: it commits to this very header.
  state.latestBlockHeader = { slot, proposerIndex, parentRoot, stateRoot: ZERO_ROOT, bodyRoot };
}
