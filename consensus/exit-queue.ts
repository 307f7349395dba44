/** Leaving: when, in turn, and no faster than the churn allows. See specs/consensus/staking.md#churn. */
import type { Gwei, Validator, ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getRegistry, getTotalActiveBalance } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import {
  computeEpochAtSlot,
  computePeriodAtEpoch,
  computePeriodAtSlot,
  computeStartSlotAtEpoch,
  type Epoch,
  FAR_FUTURE_EPOCH,
  type Period,
} from "./time.ts";

/** Periods between a change of the registry and its effect: the sets of this period and the next are fixed. */
const CHANGE_DELAY_PERIODS = 2;

export function computeFirstEpoch(period: Period, params: ChainParams): Epoch {
  return computeEpochAtSlot(period * params.periodSlots, params);
}

/** The first epoch in which an activation or an exit decided now can take effect. */
export function computeChangeEpoch(state: ConsensusState, params: ChainParams): Epoch {
  return computeFirstEpoch(computePeriodAtSlot(state.slot, params) + CHANGE_DELAY_PERIODS, params);
}

/** What may leave in a period: whole increments. @see consensus-specs v1.5.0, electra, get_balance_churn_limit */
export function getExitChurn(state: ConsensusState, params: ChainParams): Gwei {
  const epoch = computeEpochAtSlot(state.slot, params);
  const share = getTotalActiveBalance(getRegistry(state, params), epoch, params) / params.churnQuotient;
  const churn = share > params.minChurnGwei ? share : params.minChurnGwei;
  return churn - (churn % params.effectiveBalanceIncrementGwei);
}

/** What may enter in a period. */
export function getActivationChurn(state: ConsensusState, params: ChainParams): Gwei {
  const churn = getExitChurn(state, params);
  return churn < params.maxActivationChurnGwei ? churn : params.maxActivationChurnGwei;
}

/**
 * Takes `amount` out of the churn of the earliest period that has room, and of later ones as far as it is larger.
 *
 * @returns the first epoch of the period in which all of it may have left.
 * @see consensus-specs v1.5.0, electra, compute_exit_epoch_and_update_churn
 */
export function scheduleExit(state: ConsensusState, amount: Gwei, params: ChainParams): Epoch {
  const churn = getExitChurn(state, params);
  const earliest = computeChangeEpoch(state, params);
  const isNewPeriod = state.earliestExitEpoch < earliest;
  let epoch = isNewPeriod ? earliest : state.earliestExitEpoch;
  let room = isNewPeriod ? churn : state.exitBalanceToConsume;
  if (amount > room) {
    const periods = (amount - room - 1n) / churn + 1n;
    epoch = computeFirstEpoch(computePeriodAtEpoch(epoch, params) + Number(periods), params);
    room += periods * churn;
  }
  state.exitBalanceToConsume = room - amount;
  state.earliestExitEpoch = epoch;
  return epoch;
}

/** When stake that left at `exitEpoch` may be paid out. */
export function computeWithdrawableEpoch(exitEpoch: Epoch, params: ChainParams): Epoch {
  const slot = computeStartSlotAtEpoch(exitEpoch, params) + params.minWithdrawabilityDelaySlots;
  const epoch = computeEpochAtSlot(slot, params);
  return computeStartSlotAtEpoch(epoch, params) < slot ? epoch + 1 : epoch;
}

/**
 * Puts a validator in the exit queue, unless it is there already. The last one that stays cannot leave: nobody
 * could make blocks any more. The caller commits the validators.
 *
 * @returns whether it leaves, now or since earlier.
 */
export function initiateExit(state: ConsensusState, index: ValidatorIndex, params: ChainParams): boolean {
  const validator = state.validators.getReadonly(index);
  if (validator.exitEpoch !== FAR_FUTURE_EPOCH) return true;
  if (!doesAnotherStay(state, index)) return false;
  const exitEpoch = scheduleExit(state, validator.effectiveBalance, params);
  const withdrawableEpoch = computeWithdrawableEpoch(exitEpoch, params);
  state.validators.set(index, { ...validator, exitEpoch, withdrawableEpoch });
  return true;
}

/** Whether somebody would be left to make blocks. Cost: usually O(1). */
export function doesAnotherStay(state: ConsensusState, leaving: ValidatorIndex): boolean {
  for (let index = 0; index < state.validators.length; index++) {
    if (index !== leaving && isStaying(state.validators.getReadonly(index))) return true;
  }
  return false;
}

function isStaying({ activationEpoch, exitEpoch, slashed }: Validator): boolean {
  return activationEpoch !== FAR_FUTURE_EPOCH && exitEpoch === FAR_FUTURE_EPOCH && !slashed;
}
