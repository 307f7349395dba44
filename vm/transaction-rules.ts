/** When a transaction may be part of a block. See specs/vm/transaction.md#validity. */
import type { Address } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { NONCE_LIMIT } from "./execute-message.ts";
import { floorGas, INIT_CODE_LIMIT_BYTES, intrinsicGas } from "./gas.ts";
import { EMPTY_CODE_HASH } from "./state/account-codec.ts";
import type { RecoveredTransaction, Transaction } from "./transaction.ts";

export type InvalidTransactionDetail =
  | { readonly code: "NOT_REPLAY_PROTECTED" }
  | { readonly code: "WRONG_CHAIN_ID"; readonly expected: bigint; readonly actual: bigint }
  | { readonly code: "TIP_ABOVE_FEE"; readonly tip: bigint; readonly fee: bigint }
  | { readonly code: "NONCE_MAX" }
  | { readonly code: "INIT_CODE_TOO_LARGE"; readonly size: number; readonly limit: number }
  | { readonly code: "INTRINSIC_GAS_TOO_LOW"; readonly gasLimit: bigint; readonly required: bigint }
  | { readonly code: "FEE_BELOW_BASE_FEE"; readonly fee: bigint; readonly baseFee: bigint }
  | { readonly code: "GAS_LIMIT_EXCEEDED"; readonly gasLimit: bigint; readonly available: bigint }
  | { readonly code: "NONCE_TOO_LOW"; readonly nonce: bigint; readonly expected: bigint }
  | { readonly code: "NONCE_TOO_HIGH"; readonly nonce: bigint; readonly expected: bigint }
  | { readonly code: "SENDER_HAS_CODE"; readonly sender: Address }
  | { readonly code: "INSUFFICIENT_FUNDS"; readonly balance: bigint; readonly required: bigint };

/** A transaction that cannot be in the block at hand. Each code has one text in geth's words: specs/vm/outcomes.md. */
export class InvalidTransactionError extends CodedError<InvalidTransactionDetail> {}

/** Wei per gas the sender pays at most. */
export function feeCap(transaction: Transaction): bigint {
  return transaction.type === 2 ? transaction.maxFeePerGas : transaction.gasPrice;
}

/** Wei per gas the fee recipient may get at most. */
export function tipCap(transaction: Transaction): bigint {
  return transaction.type === 2 ? transaction.maxPriorityFeePerGas : transaction.gasPrice;
}

/** Wei per gas the sender pays in a block with this base fee, which is at most the fee cap (EIP-1559). */
export function effectiveGasPrice(transaction: Transaction, baseFee: bigint): bigint {
  const fee = feeCap(transaction);
  const wanted = baseFee + tipCap(transaction);
  return wanted < fee ? wanted : fee;
}

/** Wei the sender must have: the highest price for all of the gas, and the value. */
export function maximumCost(transaction: Transaction): bigint {
  return transaction.gasLimit * feeCap(transaction) + transaction.value;
}

/** Least gas limit the transaction can have: its intrinsic gas and the floor of its data (EIP-7623). */
export function requiredGas(transaction: Transaction): bigint {
  return BigInt(Math.max(intrinsicGas(transaction), floorGas(transaction.data)));
}

/** Rules that need no state and no block. @throws InvalidTransactionError */
export function checkStatelessRules(transaction: Transaction, chainId: bigint): void {
  if (transaction.chainId === undefined) throw invalid({ code: "NOT_REPLAY_PROTECTED" });
  if (transaction.chainId !== chainId) {
    throw invalid({ code: "WRONG_CHAIN_ID", expected: chainId, actual: transaction.chainId });
  }
  const fee = feeCap(transaction);
  const tip = tipCap(transaction);
  if (tip > fee) throw invalid({ code: "TIP_ABOVE_FEE", tip, fee });
  if (transaction.nonce >= NONCE_LIMIT) throw invalid({ code: "NONCE_MAX" });
  const size = transaction.data.length;
  if (transaction.to === undefined && size > INIT_CODE_LIMIT_BYTES) {
    throw invalid({ code: "INIT_CODE_TOO_LARGE", size, limit: INIT_CODE_LIMIT_BYTES });
  }
  const { gasLimit } = transaction;
  const required = requiredGas(transaction);
  if (gasLimit < required) throw invalid({ code: "INTRINSIC_GAS_TOO_LOW", gasLimit, required });
}

/** Rules of the block it is to be in. `available` is the gas the block has left. @throws InvalidTransactionError */
export function checkBlockRules(transaction: Transaction, baseFee: bigint, available: bigint): void {
  const { gasLimit } = transaction;
  if (gasLimit > available) throw invalid({ code: "GAS_LIMIT_EXCEEDED", gasLimit, available });
  const fee = feeCap(transaction);
  if (fee < baseFee) throw invalid({ code: "FEE_BELOW_BASE_FEE", fee, baseFee });
}

/** What the rules read of the sender. */
export type SenderState = {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly codeHash: string;
};

/** Rules of the sender's account. @throws InvalidTransactionError */
export function checkSenderRules({ transaction, sender }: RecoveredTransaction, account: SenderState): void {
  const { nonce } = transaction;
  const expected = account.nonce;
  if (nonce < expected) throw invalid({ code: "NONCE_TOO_LOW", nonce, expected });
  if (nonce > expected) throw invalid({ code: "NONCE_TOO_HIGH", nonce, expected });
  // EIP-3607: a key that collides with a contract's address must not spend for it.
  if (account.codeHash !== EMPTY_CODE_HASH) throw invalid({ code: "SENDER_HAS_CODE", sender });
  const required = maximumCost(transaction);
  const { balance } = account;
  if (balance < required) throw invalid({ code: "INSUFFICIENT_FUNDS", balance, required });
}

function invalid(detail: InvalidTransactionDetail): InvalidTransactionError {
  return new InvalidTransactionError(detail);
}
