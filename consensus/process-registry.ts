/** Who enters, who is sent away, and how much of each balance counts. See specs/consensus/staking.md#registry. */

import type { Gwei } from "./containers.ts";
import { computeChangeEpoch, initiateExit } from "./exit-queue.ts";
import type { ChainParams } from "./params.ts";
import { getActiveIndices, getRegistry } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, FAR_FUTURE_EPOCH } from "./time.ts";
import { computeEffectiveBalance } from "./withdrawal-credentials.ts";

/**
 * Queues those with enough stake, activates those whose place in the queue is final, and sends away those whose
 * stake has shrunk. @see consensus-specs v1.5.0, electra/beacon-chain.md, process_registry_updates
 */
export function processRegistry(state: ConsensusState, params: ChainParams): void {
  const registry = getRegistry(state, params);
  const epoch = computeEpochAtSlot(state.slot, params);
  const ejection = Number(params.ejectionBalanceGwei / params.effectiveBalanceIncrementGwei);
  for (const [index, activationEpoch] of registry.activationEpochs.entries()) {
    if (activationEpoch === FAR_FUTURE_EPOCH) updateWaiting(state, index, params);
  }
  for (const index of getActiveIndices(registry, epoch, params)) {
    const isPoor = (registry.effectiveBalances[index] ?? 0) <= ejection;
    if (isPoor && registry.exitEpochs[index] === FAR_FUTURE_EPOCH) initiateExit(state, index, params);
  }
  state.validators.commit();
}

function updateWaiting(state: ConsensusState, index: number, params: ChainParams): void {
  const validator = state.validators.getReadonly(index);
  const { activationEligibilityEpoch: eligibility, effectiveBalance } = validator;
  if (eligibility === FAR_FUTURE_EPOCH) {
    if (effectiveBalance < params.minActivationBalanceGwei) return;
    // The next epoch: its finality contains this decision.
    const activationEligibilityEpoch = computeEpochAtSlot(state.slot, params) + 1;
    state.validators.set(index, { ...validator, activationEligibilityEpoch });
  } else if (eligibility <= state.finalized.epoch || !params.rules.activationAfterFinality) {
    state.validators.set(index, { ...validator, activationEpoch: computeChangeEpoch(state, params) });
  }
}

/**
 * Lets effective balances follow balances, with a gap so that they do not change with every reward.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, process_effective_balance_updates
 */
export function processEffectiveBalances(state: ConsensusState, params: ChainParams): void {
  const { effectiveBalances } = getRegistry(state, params);
  const increment = params.effectiveBalanceIncrementGwei;
  const step = increment / params.hysteresisQuotient;
  const down = step * params.hysteresisDownwardMultiplier;
  const up = step * params.hysteresisUpwardMultiplier;
  for (const [index, balance] of state.balances.getAll().entries()) {
    const effective: Gwei = BigInt(effectiveBalances[index] ?? 0) * increment;
    if (balance + down >= effective && effective + up >= balance) continue;
    const validator = state.validators.getReadonly(index);
    const effectiveBalance = computeEffectiveBalance(balance, validator.withdrawalCredentials, params);
    if (effectiveBalance !== effective) state.validators.set(index, { ...validator, effectiveBalance });
  }
  state.validators.commit();
}
