/** The penalty for being slashed together with others. See specs/consensus/staking.md#correlation-penalty. */
import { decreaseBalance } from "./balances.ts";
import type { ChainParams } from "./params.ts";
import { getRegistry, getTotalActiveBalance } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, computePeriodAtEpoch, FAR_FUTURE_EPOCH, type Period } from "./time.ts";

/**
 * Half a window before its stake is free, a slashed validator pays in proportion to all that was slashed in the
 * window: an accident is cheap, an attack by a third costs everything. Then the oldest sum is forgotten.
 *
 * @param period the one that begins.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, process_slashings, process_slashings_reset
 */
export function processSlashings(state: ConsensusState, period: Period, params: ChainParams): void {
  const registry = getRegistry(state, params);
  const increment = params.effectiveBalanceIncrementGwei;
  let penaltyPerIncrement: bigint | undefined;
  for (const [index, isSlashed] of registry.slashed.entries()) {
    if (isSlashed === 0) continue;
    const { withdrawableEpoch, effectiveBalance } = state.validators.getReadonly(index);
    if (withdrawableEpoch === FAR_FUTURE_EPOCH) continue;
    if (computePeriodAtEpoch(withdrawableEpoch, params) !== period + params.slashingsLength / 2) continue;
    penaltyPerIncrement ??= computePenaltyPerIncrement(state, params);
    decreaseBalance(state, index, penaltyPerIncrement * (effectiveBalance / increment));
  }
  const slot = period % params.slashingsLength;
  if (state.slashings.get(slot) > 0n) state.slashings.set(slot, 0n);
}

function computePenaltyPerIncrement(state: ConsensusState, params: ChainParams): bigint {
  const epoch = computeEpochAtSlot(state.slot - 1, params);
  const total = getTotalActiveBalance(getRegistry(state, params), epoch, params);
  const slashed = state.slashings.getAll().reduce((sum, amount) => sum + amount, 0n);
  const multiplied = slashed * params.proportionalSlashingMultiplier;
  return (multiplied < total ? multiplied : total) / (total / params.effectiveBalanceIncrementGwei);
}
