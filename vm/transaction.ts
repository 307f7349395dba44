/** Transactions: legacy (EIP-155), access list (EIP-2930), dynamic fee (EIP-1559). See specs/vm/transaction.md. */
import type { Address, Hash } from "../primitives/bytes.ts";

export type AccessListEntry = { readonly address: Address; readonly storageKeys: readonly Hash[] };

type TransactionFields = {
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  /** Absent when the transaction creates a contract. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly yParity: 0 | 1;
  readonly r: bigint;
  readonly s: bigint;
};

/** `chainId` is absent in a transaction signed before EIP-155, which only external vectors contain. */
export type LegacyTransaction = TransactionFields & {
  readonly type: 0;
  readonly chainId: bigint | undefined;
  readonly gasPrice: bigint;
};

export type AccessListTransaction = TransactionFields & {
  readonly type: 1;
  readonly chainId: bigint;
  readonly gasPrice: bigint;
  readonly accessList: readonly AccessListEntry[];
};

export type DynamicFeeTransaction = TransactionFields & {
  readonly type: 2;
  readonly chainId: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly accessList: readonly AccessListEntry[];
};

export type Transaction = LegacyTransaction | AccessListTransaction | DynamicFeeTransaction;

/** A transaction whose signature was checked: what every layer above the codec handles. */
export type RecoveredTransaction = {
  readonly transaction: Transaction;
  /** keccak256(raw). */
  readonly hash: Hash;
  readonly sender: Address;
  /** The EIP-2718 encoding, as it was signed and is gossiped. */
  readonly raw: Uint8Array;
};
