/** What a validator's withdrawal credentials say: who is paid, and how much of the stake counts. See specs/consensus/staking.md#withdrawal-credentials. */
import type { Gwei } from "./containers.ts";
import type { ChainParams } from "./params.ts";

/** First byte of credentials that name an account; stake above the smallest is paid out (EIP-4895). */
const ACCOUNT_PREFIX = 1;
/** First byte of credentials that name an account; rewards add to the stake (EIP-7251). */
const COMPOUNDING_PREFIX = 2;
const CREDENTIALS_BYTES = 32;

/** Whether the stake can be paid out at all. @see consensus-specs v1.5.0, electra, has_execution_withdrawal_credential */
export function isPayable(credentials: Uint8Array): boolean {
  return credentials[0] === ACCOUNT_PREFIX || isCompounding(credentials);
}

export function isCompounding(credentials: Uint8Array): boolean {
  return credentials[0] === COMPOUNDING_PREFIX;
}

/** The account's 20 bytes. */
export function accountOf(credentials: Uint8Array): Uint8Array {
  return credentials.slice(12);
}

export function compoundingCredentials(account: Uint8Array): Uint8Array {
  const credentials = new Uint8Array(CREDENTIALS_BYTES);
  credentials[0] = COMPOUNDING_PREFIX;
  credentials.set(account, 12);
  return credentials;
}

/** The most that counts of a balance. @see consensus-specs v1.5.0, electra, get_max_effective_balance */
export function getMaxEffectiveBalance(credentials: Uint8Array, params: ChainParams): Gwei {
  return isCompounding(credentials) ? params.maxEffectiveBalanceGwei : params.minActivationBalanceGwei;
}

/** What counts of a balance: whole increments, up to the most its credentials allow. */
export function computeEffectiveBalance(balance: Gwei, credentials: Uint8Array, params: ChainParams): Gwei {
  const wholeIncrements = balance - (balance % params.effectiveBalanceIncrementGwei);
  const maximum = getMaxEffectiveBalance(credentials, params);
  return wholeIncrements < maximum ? wholeIncrements : maximum;
}
