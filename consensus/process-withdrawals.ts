/** Stake that is paid out to accounts by the payload. See specs/consensus/staking.md#withdrawals. */
import { toHex } from "../primitives/bytes.ts";
import { decreaseBalance } from "./balances.ts";
import { BlockError } from "./block-errors.ts";
import { containersOf } from "./chain-containers.ts";
import type { Gwei, Validator, ValidatorIndex, Withdrawal } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, type Epoch, FAR_FUTURE_EPOCH } from "./time.ts";
import { accountOf, getMaxEffectiveBalance, isPayable } from "./withdrawal-credentials.ts";

/** What the payload of the state's slot must pay, and how many pending parts are done with. */
type ExpectedWithdrawals = { readonly withdrawals: readonly Withdrawal[]; readonly partsDone: number };

/** Whether the validator asked for a part of its stake that is not paid yet; one at a time. */
export function hasPendingPart(
  { pendingPartialWithdrawals }: ConsensusState,
  index: ValidatorIndex,
): boolean {
  for (let i = 0; i < pendingPartialWithdrawals.length; i++) {
    if (pendingPartialWithdrawals.getReadonly(i).validatorIndex === index) return true;
  }
  return false;
}

/**
 * Parts that were asked for, oldest first, then a sweep over the registry from where the last one stopped.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, get_expected_withdrawals
 */
export function getExpectedWithdrawals(state: ConsensusState, params: ChainParams): ExpectedWithdrawals {
  const withdrawals: Withdrawal[] = [];
  const partsDone = addParts(state, withdrawals, params);
  const count = state.validators.length;
  const epoch = computeEpochAtSlot(state.slot, params);
  const steps = Math.min(count, params.withdrawalSweepLimit);
  for (let step = 0; step < steps && withdrawals.length < params.maxWithdrawals; step++) {
    const index = (state.nextWithdrawalValidatorIndex + step) % count;
    const validator = state.validators.getReadonly(index);
    if (!isPayable(validator.withdrawalCredentials)) continue;
    const paid = withdrawals.find(({ validatorIndex }) => validatorIndex === index)?.amount ?? 0n;
    const amount = computeDue(validator, state.balances.get(index) - paid, epoch, params);
    if (amount > 0n) withdrawals.push(toWithdrawal(state, withdrawals.length, index, validator, amount));
  }
  return { withdrawals, partsDone };
}

function addParts(state: ConsensusState, withdrawals: Withdrawal[], params: ChainParams): number {
  const parts = state.pendingPartialWithdrawals;
  const epoch = computeEpochAtSlot(state.slot, params);
  const smallest = params.minActivationBalanceGwei;
  let done = 0;
  while (done < parts.length && withdrawals.length < params.maxPartialWithdrawals) {
    const { validatorIndex, amount: wanted, withdrawableEpoch } = parts.getReadonly(done);
    if (withdrawableEpoch > epoch) break;
    done += 1;
    const validator = state.validators.getReadonly(validatorIndex);
    const excess = state.balances.get(validatorIndex) - smallest;
    const isStaying = validator.exitEpoch === FAR_FUTURE_EPOCH && validator.effectiveBalance >= smallest;
    if (!isStaying || excess <= 0n) continue;
    const amount = wanted < excess ? wanted : excess;
    withdrawals.push(toWithdrawal(state, withdrawals.length, validatorIndex, validator, amount));
  }
  return done;
}

/** All of it once the validator has left and waited; before that what exceeds the most that counts. */
function computeDue(
  { withdrawableEpoch, effectiveBalance, withdrawalCredentials }: Validator,
  balance: Gwei,
  epoch: Epoch,
  params: ChainParams,
): Gwei {
  if (withdrawableEpoch <= epoch) return balance;
  const most = getMaxEffectiveBalance(withdrawalCredentials, params);
  return effectiveBalance === most && balance > most ? balance - most : 0n;
}

function toWithdrawal(
  state: ConsensusState,
  position: number,
  validatorIndex: ValidatorIndex,
  { withdrawalCredentials }: Validator,
  amount: Gwei,
): Withdrawal {
  const index = state.nextWithdrawalIndex + position;
  return { index, validatorIndex, address: accountOf(withdrawalCredentials), amount };
}

/**
 * Takes what the payload pays off the balances.
 *
 * @throws BlockError PAYLOAD_WRONG_WITHDRAWALS unless it pays exactly what is due.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, process_withdrawals
 */
export function processWithdrawals(
  state: ConsensusState,
  paid: readonly Withdrawal[],
  params: ChainParams,
): void {
  const { withdrawals, partsDone } = getExpectedWithdrawals(state, params);
  checkSame(withdrawals, paid, params);
  for (const { validatorIndex, amount } of withdrawals) decreaseBalance(state, validatorIndex, amount);
  if (partsDone > 0) {
    state.pendingPartialWithdrawals = state.pendingPartialWithdrawals.sliceFrom(partsDone);
  }
  state.nextWithdrawalIndex += withdrawals.length;
  const last = withdrawals.length === params.maxWithdrawals ? withdrawals.at(-1) : undefined;
  const next =
    last === undefined
      ? state.nextWithdrawalValidatorIndex + params.withdrawalSweepLimit
      : last.validatorIndex + 1;
  state.nextWithdrawalValidatorIndex = next % state.validators.length;
}

function checkSame(due: readonly Withdrawal[], paid: readonly Withdrawal[], params: ChainParams): void {
  if (due.length === 0 && paid.length === 0) return;
  const { Withdrawals } = containersOf(params);
  const expected = toHex(Withdrawals.hashTreeRoot([...due]));
  const actual = toHex(Withdrawals.hashTreeRoot([...paid]));
  if (expected !== actual) throw new BlockError({ code: "PAYLOAD_WRONG_WITHDRAWALS", expected, actual });
}
