/** Validators that leave because their own key says so. See specs/consensus/staking.md#exits. */
import { BlockError } from "./block-errors.ts";
import type { SignedVoluntaryExit } from "./containers.ts";
import { initiateExit } from "./exit-queue.ts";
import { findExitFault } from "./operation-rules.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";

/** @throws BlockError BLOCK_INVALID_VOLUNTARY_EXIT */
export function processVoluntaryExits(
  state: ConsensusState,
  exits: readonly SignedVoluntaryExit[],
  params: ChainParams,
): void {
  for (const [index, { message }] of exits.entries()) {
    const fault = findExitFault(state, message, params);
    if (fault !== undefined) throw new BlockError({ code: "BLOCK_INVALID_VOLUNTARY_EXIT", index, fault });
    initiateExit(state, message.validatorIndex, params);
  }
  if (exits.length > 0) state.validators.commit();
}
