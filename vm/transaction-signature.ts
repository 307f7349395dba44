/** Who sent a transaction: signing and recovering. See specs/vm/transaction.md#signature. */
import { toHex } from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import {
  privateKeyToAddress,
  recoverAddress,
  SECP256K1_HALF_ORDER,
  signRecoverable,
} from "../primitives/secp256k1.ts";
import type { RecoveredTransaction } from "./transaction.ts";
import {
  decodeTransaction,
  encodeForSigning,
  encodeTransaction,
  TransactionError,
  type UnsignedTransaction,
} from "./transaction-codec.ts";

/**
 * Decodes a transaction and recovers its sender. Costs one public-key recovery.
 *
 * Which chain it is for is not looked at: that is a rule of the block it runs in.
 * @throws TransactionError
 */
export function recoverTransaction(raw: Uint8Array): RecoveredTransaction {
  const transaction = decodeTransaction(raw);
  const { r, s, yParity } = transaction;
  if (s > SECP256K1_HALF_ORDER) {
    throw new TransactionError({ code: "TRANSACTION_SIGNATURE_INVALID", reason: "s is above n/2" });
  }
  const sender = recoverAddress(signingHash(transaction), r, s, yParity);
  if (sender === undefined) {
    throw new TransactionError({ code: "TRANSACTION_SIGNATURE_INVALID", reason: "no key fits" });
  }
  return { transaction, hash: toHex(keccak256(raw)), sender, raw };
}

/** The digest the sender signs. */
export function signingHash(transaction: UnsignedTransaction): Uint8Array {
  return keccak256(encodeForSigning(transaction));
}

/** Signs with `privateKey` (32 bytes). For tools and specs: the node holds no account keys. */
export function signTransaction(unsigned: UnsignedTransaction, privateKey: Uint8Array): RecoveredTransaction {
  const transaction = { ...unsigned, ...signRecoverable(signingHash(unsigned), privateKey) };
  const raw = encodeTransaction(transaction);
  return { transaction, hash: toHex(keccak256(raw)), sender: privateKeyToAddress(privateKey), raw };
}
