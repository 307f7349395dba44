/** Slashings in a block: the offender pays at once and leaves. See specs/consensus/staking.md#slashing. */
import { decreaseBalance, increaseBalance } from "./balances.ts";
import { BlockError } from "./block-errors.ts";
import type { AttesterSlashing } from "./chain-containers.ts";
import type { ProposerSlashing, ValidatorIndex } from "./containers.ts";
import { computeFirstEpoch, initiateExit } from "./exit-queue.ts";
import {
  findAttesterSlashingFault,
  findProposerSlashingFault,
  slashableEquivocators,
} from "./operation-rules.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import { computePeriodAtSlot } from "./time.ts";

/** @throws BlockError BLOCK_INVALID_PROPOSER_SLASHING */
export function processProposerSlashings(
  state: ConsensusState,
  slashings: readonly ProposerSlashing[],
  params: ChainParams,
): void {
  for (const [index, slashing] of slashings.entries()) {
    const fault = findProposerSlashingFault(state, slashing, params);
    if (fault !== undefined) throw new BlockError({ code: "BLOCK_INVALID_PROPOSER_SLASHING", index, fault });
    slashValidator(state, slashing.signedHeader1.message.proposerIndex, params);
  }
  if (slashings.length > 0) state.validators.commit();
}

/** Each slashes everyone who signed both votes and can still be slashed. @throws BlockError BLOCK_INVALID_ATTESTER_SLASHING */
export function processAttesterSlashings(
  state: ConsensusState,
  slashings: readonly AttesterSlashing[],
  params: ChainParams,
): void {
  for (const [index, slashing] of slashings.entries()) {
    const fault = findAttesterSlashingFault(state, slashing, params);
    if (fault !== undefined) throw new BlockError({ code: "BLOCK_INVALID_ATTESTER_SLASHING", index, fault });
    for (const offender of slashableEquivocators(state, slashing, params)) {
      slashValidator(state, offender, params);
    }
  }
  if (slashings.length > 0) state.validators.commit();
}

/**
 * The first part of the penalty is taken now, the second in process-slashings.ts once it is known who else was
 * slashed. The block's proposer is paid for the report.
 *
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, slash_validator
 */
function slashValidator(state: ConsensusState, index: ValidatorIndex, params: ChainParams): void {
  const period = computePeriodAtSlot(state.slot, params);
  initiateExit(state, index, params);
  const validator = state.validators.getReadonly(index);
  const windowEnd = computeFirstEpoch(period + params.slashingsLength, params);
  const withdrawableEpoch = Math.max(validator.withdrawableEpoch, windowEnd);
  state.validators.set(index, { ...validator, slashed: true, withdrawableEpoch });

  const { effectiveBalance } = validator;
  const slot = period % params.slashingsLength;
  state.slashings.set(slot, state.slashings.get(slot) + effectiveBalance);
  decreaseBalance(state, index, effectiveBalance / params.minSlashingPenaltyQuotient);
  const { proposerIndex } = state.latestBlockHeader;
  increaseBalance(state, proposerIndex, effectiveBalance / params.whistleblowerRewardQuotient);
}
