/** Moving stake on and off a validator's balance. See specs/consensus/staking.md#balances. */
import type { Gwei, ValidatorIndex } from "./containers.ts";
import type { ConsensusState } from "./state.ts";

export function increaseBalance(state: ConsensusState, index: ValidatorIndex, amount: Gwei): void {
  if (amount > 0n) state.balances.set(index, state.balances.get(index) + amount);
}

/** Takes the amount, or what is left of it. */
export function decreaseBalance(state: ConsensusState, index: ValidatorIndex, amount: Gwei): void {
  if (amount > 0n) state.balances.set(index, subtractUpTo(state.balances.get(index), amount));
}

/** The difference, not below zero. */
export function subtractUpTo(balance: Gwei, amount: Gwei): Gwei {
  return balance > amount ? balance - amount : 0n;
}
