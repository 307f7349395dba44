/** What the payload asks of consensus: deposits and withdrawals. See specs/consensus/staking.md#requests. */
import { equalBytes } from "../primitives/bytes.ts";
import type { DepositRequest, ValidatorIndex, WithdrawalRequest } from "./containers.ts";
import { computeWithdrawableEpoch, initiateExit, scheduleExit } from "./exit-queue.ts";
import type { ChainParams } from "./params.ts";
import type { ExecutionRequests } from "./payload-containers.ts";
import { hasPendingPart } from "./process-withdrawals.ts";
import { findValidator, getRegistry } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, FAR_FUTURE_EPOCH } from "./time.ts";
import { accountOf, isCompounding, isPayable } from "./withdrawal-credentials.ts";

/** An amount that stands for all of the stake (EIP-7002). */
const WHOLE_STAKE = 0n;

/**
 * Deposits join the queue. Withdrawal requests come from anybody's transactions, so one that asks for what is not
 * possible is passed over and makes no block invalid.
 */
export function processRequests(
  state: ConsensusState,
  { deposits, withdrawals }: ExecutionRequests,
  params: ChainParams,
): void {
  for (const deposit of deposits) queueDeposit(state, deposit);
  for (const request of withdrawals) processWithdrawalRequest(state, request, params);
  if (withdrawals.length > 0) state.validators.commit();
}

function queueDeposit(state: ConsensusState, { index: _, ...deposit }: DepositRequest): void {
  state.pendingDeposits.push({ ...deposit, slot: state.slot });
}

/** @see consensus-specs v1.5.0, electra/beacon-chain.md, process_withdrawal_request */
function processWithdrawalRequest(
  state: ConsensusState,
  { sourceAddress, validatorPubkey, amount }: WithdrawalRequest,
  params: ChainParams,
): void {
  const index = findValidator(getRegistry(state, params), validatorPubkey);
  if (index === undefined) return;
  const { withdrawalCredentials, activationEpoch, exitEpoch } = state.validators.getReadonly(index);
  const isOwner =
    isPayable(withdrawalCredentials) && equalBytes(accountOf(withdrawalCredentials), sourceAddress);
  const isActive = activationEpoch <= computeEpochAtSlot(state.slot, params);
  if (!isOwner || !isActive || exitEpoch !== FAR_FUTURE_EPOCH || hasPendingPart(state, index)) return;
  if (amount === WHOLE_STAKE) initiateExit(state, index, params);
  else if (isCompounding(withdrawalCredentials)) queuePart(state, index, amount, params);
}

/** Up to `amount` of what exceeds the smallest stake; it takes its turn in the churn like an exit. */
function queuePart(state: ConsensusState, index: ValidatorIndex, wanted: bigint, params: ChainParams): void {
  const { effectiveBalance } = state.validators.getReadonly(index);
  const smallest = params.minActivationBalanceGwei;
  const excess = state.balances.get(index) - smallest;
  const isFull = state.pendingPartialWithdrawals.length >= params.pendingPartialWithdrawalsLimit;
  if (effectiveBalance < smallest || excess <= 0n || isFull) return;
  const amount = wanted < excess ? wanted : excess;
  const exitEpoch = scheduleExit(state, amount, params);
  const withdrawableEpoch = computeWithdrawableEpoch(exitEpoch, params);
  state.pendingPartialWithdrawals.push({ validatorIndex: index, amount, withdrawableEpoch });
}
