/** The texts clients see and match on: geth's words wherever geth has them. See specs/vm/outcomes.md. */
import type { Outcome } from "./message.ts";
import type { InvalidTransactionDetail } from "./transaction-rules.ts";

/** Why a message failed. A revert has no text of its own: its data says why. */
export const OUTCOME_TEXT: Readonly<Record<Exclude<Outcome, "success">, string>> = {
  revert: "execution reverted",
  "out of gas": "out of gas",
  "out of memory": "out of memory",
  "stack limit": "stack limit reached",
  trap: "trap in the contract engine",
  "call depth limit": "max call depth exceeded",
  "insufficient balance": "insufficient balance for transfer",
  "address collision": "contract address collision",
  "static state change": "write protection",
  "invalid container": "invalid container",
  "invalid precompile input": "invalid precompile input",
  "nonce overflow": "nonce uint64 overflow",
};

/** Why a transaction is refused. */
export const INVALID_TRANSACTION_TEXT = {
  NOT_REPLAY_PROTECTED: "only replay-protected (EIP-155) transactions allowed over RPC",
  WRONG_CHAIN_ID: "invalid chain id for signer",
  TIP_ABOVE_FEE: "max priority fee per gas higher than max fee per gas",
  NONCE_MAX: "nonce has max value",
  INIT_CODE_TOO_LARGE: "max initcode size exceeded",
  INTRINSIC_GAS_TOO_LOW: "intrinsic gas too low",
  FEE_BELOW_BASE_FEE: "max fee per gas less than block base fee",
  GAS_LIMIT_EXCEEDED: "exceeds block gas limit",
  NONCE_TOO_LOW: "nonce too low",
  NONCE_TOO_HIGH: "nonce too high",
  SENDER_HAS_CODE: "sender not an eoa",
  INSUFFICIENT_FUNDS: "insufficient funds for gas * price + value",
} as const satisfies Readonly<Record<InvalidTransactionDetail["code"], string>>;
