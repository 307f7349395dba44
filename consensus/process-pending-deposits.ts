/** Takes in deposits that are final, no faster than the churn allows. See specs/consensus/staking.md#deposits. */
import { blsVerify } from "../primitives/bls.ts";
import { fromHex } from "../primitives/bytes.ts";
import { increaseBalance } from "./balances.ts";
import { DepositMessage, type PendingDeposit, type ValidatorIndex } from "./containers.ts";
import { getActivationChurn } from "./exit-queue.ts";
import type { ChainParams } from "./params.ts";
import { findValidator, getRegistry } from "./registry.ts";
import { computeDomain, computeSigningRoot, DOMAIN_DEPOSIT } from "./signing-root.ts";
import { type ConsensusState, ZERO_ROOT } from "./state.ts";
import { computeCheckpointSlot, computeEpochAtSlot, FAR_FUTURE_EPOCH } from "./time.ts";
import { computeEffectiveBalance } from "./withdrawal-credentials.ts";

/**
 * In the order they came: deposits made at or before the finalized slot, at most maxDepositsPerPeriod of them, and
 * no more stake than the churn of this period and what earlier ones left over. For a validator that is leaving they
 * wait until its stake is free.
 *
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, process_pending_deposits
 */
export function processPendingDeposits(state: ConsensusState, params: ChainParams): void {
  const finalizedSlot = computeCheckpointSlot(state.finalized.epoch, params);
  const available = state.depositBalanceToConsume + getActivationChurn(state, params);
  const postponed: PendingDeposit[] = [];
  let taken = 0;
  let consumed = 0n;
  let isChurnReached = false;
  while (taken < state.pendingDeposits.length && taken < params.maxDepositsPerPeriod) {
    const deposit = state.pendingDeposits.getReadonly(taken);
    if (deposit.slot > finalizedSlot && params.rules.activationAfterFinality) break;
    const index = findValidator(getRegistry(state, params), deposit.pubkey);
    const standing = index === undefined ? "staying" : standingOf(state, index, params);
    if (standing === "leaving") postponed.push(deposit);
    else {
      // Stake of a validator that has left does not count for anything, so it needs no churn.
      const needed = standing === "gone" ? 0n : deposit.amount;
      isChurnReached = consumed + needed > available;
      if (isChurnReached) break;
      consumed += needed;
      applyDeposit(state, index, deposit, params);
    }
    taken += 1;
  }
  state.depositBalanceToConsume = isChurnReached ? available - consumed : 0n;
  if (taken === 0) return;
  state.pendingDeposits = state.pendingDeposits.sliceFrom(taken);
  for (const deposit of postponed) state.pendingDeposits.push(deposit);
}

function standingOf(
  state: ConsensusState,
  index: ValidatorIndex,
  params: ChainParams,
): "staying" | "leaving" | "gone" {
  const { exitEpoch, withdrawableEpoch } = state.validators.getReadonly(index);
  if (withdrawableEpoch < computeEpochAtSlot(state.slot, params)) return "gone";
  return exitEpoch === FAR_FUTURE_EPOCH ? "staying" : "leaving";
}

/** Adds to a validator's stake, or registers a new one. A new key that does not prove it is held loses the deposit. */
function applyDeposit(
  state: ConsensusState,
  index: ValidatorIndex | undefined,
  deposit: PendingDeposit,
  params: ChainParams,
): void {
  if (index !== undefined) increaseBalance(state, index, deposit.amount);
  else if (!params.rules.depositsNeedProof || isProofOfPossession(deposit, params)) {
    addValidator(state, deposit, params);
  }
}

/** The key signed what it was registered with: nobody can register a key that cancels out others. */
function isProofOfPossession(
  { pubkey, withdrawalCredentials, amount, signature }: PendingDeposit,
  params: ChainParams,
): boolean {
  return blsVerify(pubkey, depositSigningRoot({ pubkey, withdrawalCredentials, amount }, params), signature);
}

/**
 * What a depositor signs. The domain is the first fork's and of no chain, since one deposits before knowing either.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, is_valid_deposit_signature
 */
export function depositSigningRoot(message: DepositMessage, params: ChainParams): Uint8Array {
  const version = fromHex(params.forks[0]?.version ?? "0x00000000");
  return computeSigningRoot(DepositMessage, message, computeDomain(DOMAIN_DEPOSIT, version, ZERO_ROOT));
}

function addValidator(
  state: ConsensusState,
  { pubkey, withdrawalCredentials, amount }: PendingDeposit,
  params: ChainParams,
): void {
  state.validators.push({
    ...{ pubkey, withdrawalCredentials, slashed: false },
    effectiveBalance: computeEffectiveBalance(amount, withdrawalCredentials, params),
    ...{ activationEligibilityEpoch: FAR_FUTURE_EPOCH, activationEpoch: FAR_FUTURE_EPOCH },
    ...{ exitEpoch: FAR_FUTURE_EPOCH, withdrawableEpoch: FAR_FUTURE_EPOCH },
  });
  state.validators.commit();
  state.balances.push(amount);
  state.inactivityScores.push(0);
}
