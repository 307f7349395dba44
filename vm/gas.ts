/** The gas schedule: what each thing costs, and the sums over it. See specs/vm/gas.md. */
import type { AccessListEntry, Transaction } from "./transaction.ts";

/** Prices in gas. Those of Ethereum keep Ethereum's values, so that tools estimate as they always did. */
export const GAS = {
  /** Every transaction (Yellow Paper, G_transaction), and the addition of one that creates (EIP-2). */
  transaction: 21_000,
  transactionCreate: 32_000,
  /** Call data, per byte (EIP-2028), and the floor per token when a transaction does little else (EIP-7623). */
  calldataZeroByte: 4,
  calldataNonZeroByte: 16,
  calldataFloorPerToken: 10,
  calldataTokensPerNonZeroByte: 4,
  /** Init code, per 32-byte word (EIP-3860). */
  initCodeWord: 2,
  /** EIP-2930. */
  accessListAddress: 2_400,
  accessListSlot: 1_900,
  /** State access (EIP-2929). */
  warmAccess: 100,
  coldAccount: 2_600,
  coldSlot: 2_100,
  /** SSTORE (EIP-2200 with EIP-3529's refunds); a cold slot costs `coldSlot` more. */
  storageSet: 20_000,
  storageReset: 2_900,
  storageClearRefund: 4_800,
  /** SSTORE is refused with this much gas or less, so that a stipend can never change state (EIP-2200). */
  storageSentry: 2_300,
  transientAccess: 100,
  log: 375,
  logTopic: 375,
  logByte: 8,
  keccak: 30,
  keccakWord: 6,
  /** Sending value with a call, what the callee gets for it, and reviving an empty account. */
  callValue: 9_000,
  callStipend: 2_300,
  newAccount: 25_000,
  /** CREATE, and the code it stores, per byte. */
  create: 32_000,
  codeByte: 200,
  /** Entering contract code at all; its snapshot costs more by its size. */
  frame: 1_600,
} as const;

/** Refunds pay back at most a fifth of the gas used (EIP-3529). */
export const REFUND_QUOTIENT = 5;
/**
 * Largest data of a creating transaction: a container of 48 KiB and as much again for constructor arguments.
 * Ethereum's rule (EIP-3860) with this chain's container in place of its code limit.
 */
export const INIT_CODE_LIMIT_BYTES = 98_304;

/** Number of 32-byte words that `bytes` bytes take up. */
export function wordsOf(bytes: number): number {
  return Math.ceil(bytes / 32);
}

/** A caller keeps a 64th of what it has left, so that it can act after a callee took all (EIP-150). */
export function allButOne64th(gas: number): number {
  return gas - Math.floor(gas / 64);
}

type Payload = Pick<Transaction, "to" | "data"> & { readonly accessList?: readonly AccessListEntry[] };

/** Gas a transaction costs before anything runs. */
export function intrinsicGas(transaction: Payload): number {
  const { to, data, accessList = [] } = transaction;
  const { zeroBytes, nonZeroBytes } = countBytes(data);
  let gas = GAS.transaction + zeroBytes * GAS.calldataZeroByte + nonZeroBytes * GAS.calldataNonZeroByte;
  if (to === undefined) gas += GAS.transactionCreate + wordsOf(data.length) * GAS.initCodeWord;
  for (const { storageKeys } of accessList) {
    gas += GAS.accessListAddress + storageKeys.length * GAS.accessListSlot;
  }
  return gas;
}

/** Least gas a transaction with this data uses, however little it runs (EIP-7623). */
export function floorGas(data: Uint8Array): number {
  const { zeroBytes, nonZeroBytes } = countBytes(data);
  const tokens = zeroBytes + nonZeroBytes * GAS.calldataTokensPerNonZeroByte;
  return GAS.transaction + tokens * GAS.calldataFloorPerToken;
}

function countBytes(data: Uint8Array): { readonly zeroBytes: number; readonly nonZeroBytes: number } {
  let zeroBytes = 0;
  for (const byte of data) if (byte === 0) zeroBytes++;
  return { zeroBytes, nonZeroBytes: data.length - zeroBytes };
}
