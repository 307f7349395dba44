/** Bytes of transactions: the typed envelope (EIP-2718) and its three payloads. See specs/vm/transaction.md#encoding. */
import { bigIntToMinimalBytes, concatBytes, EMPTY_BYTES, fromHex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { decodeRlp, encodeRlp, RlpError, type RlpItem } from "../primitives/rlp.ts";
import { FieldError, readAddress, readBytes, readHash, readInteger, readList } from "./rlp-fields.ts";
import type { AccessListEntry, Transaction } from "./transaction.ts";

/** Largest encoded transaction that is decoded at all: 128 KiB, the limit of geth's pool. */
export const TRANSACTION_LIMIT_BYTES = 131_072;

export type TransactionErrorDetail =
  | { readonly code: "TRANSACTION_TOO_LARGE"; readonly size: number; readonly limit: number }
  | { readonly code: "TRANSACTION_TYPE_NOT_SUPPORTED"; readonly type: number }
  | { readonly code: "TRANSACTION_MALFORMED"; readonly reason: string }
  | { readonly code: "TRANSACTION_SIGNATURE_INVALID"; readonly reason: string };

/** Bytes that are not a transaction of this chain's kinds, or one whose signature is no signature. */
export class TransactionError extends CodedError<TransactionErrorDetail> {}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** What the sender signs. */
export type UnsignedTransaction = DistributiveOmit<Transaction, "yParity" | "r" | "s">;

/**
 * Decodes one transaction that fills `raw`; its byte strings are views into `raw`.
 *
 * Every value has one accepted encoding. The signature is in range by type only; recoverTransaction checks it.
 * @throws TransactionError
 */
export function decodeTransaction(raw: Uint8Array): Transaction {
  if (raw.length > TRANSACTION_LIMIT_BYTES) {
    throw new TransactionError({
      code: "TRANSACTION_TOO_LARGE",
      size: raw.length,
      limit: TRANSACTION_LIMIT_BYTES,
    });
  }
  const first = raw[0];
  if (first === undefined) throw malformed("empty");
  try {
    if (first >= 0xc0) return decodeLegacy(decodeRlp(raw));
    if (first === 1) return decodeAccessList(decodeRlp(raw.subarray(1)));
    if (first === 2) return decodeDynamicFee(decodeRlp(raw.subarray(1)));
  } catch (error) {
    if (error instanceof RlpError) throw malformed(error.detail.code, error);
    if (error instanceof FieldError) throw malformed(`${error.detail.code} ${error.detail.field}`, error);
    throw error;
  }
  throw new TransactionError({ code: "TRANSACTION_TYPE_NOT_SUPPORTED", type: first });
}

function malformed(reason: string, cause?: unknown): TransactionError {
  return new TransactionError({ code: "TRANSACTION_MALFORMED", reason }, { cause });
}

function decodeLegacy(item: RlpItem): Transaction {
  const [nonce, gasPrice, gasLimit, to, value, data, v, r, s] = readList(item, "transaction", 9, 9);
  return {
    type: 0,
    nonce: readInteger(nonce, "nonce", 8),
    gasPrice: readInteger(gasPrice, "gasPrice", 32),
    gasLimit: readInteger(gasLimit, "gasLimit", 8),
    to: readRecipient(to),
    value: readInteger(value, "value", 32),
    data: readBytes(data, "data"),
    ...splitLegacyV(readInteger(v, "v", 32)),
    r: readInteger(r, "r", 32),
    s: readInteger(s, "s", 32),
  };
}

/** EIP-155: v is 35 + 2 × chainId + yParity; before it, 27 + yParity. */
function splitLegacyV(v: bigint): { readonly chainId: bigint | undefined; readonly yParity: 0 | 1 } {
  if (v === 27n || v === 28n) return { chainId: undefined, yParity: v === 27n ? 0 : 1 };
  if (v < 35n) {
    throw new TransactionError({ code: "TRANSACTION_SIGNATURE_INVALID", reason: `v is ${v}` });
  }
  return { chainId: (v - 35n) >> 1n, yParity: (v - 35n) % 2n === 0n ? 0 : 1 };
}

function decodeAccessList(item: RlpItem): Transaction {
  const [chainId, nonce, gasPrice, gasLimit, to, value, data, accessList, yParity, r, s] = readList(
    item,
    "transaction",
    11,
    11,
  );
  return {
    type: 1,
    chainId: readInteger(chainId, "chainId", 32),
    nonce: readInteger(nonce, "nonce", 8),
    gasPrice: readInteger(gasPrice, "gasPrice", 32),
    gasLimit: readInteger(gasLimit, "gasLimit", 8),
    to: readRecipient(to),
    value: readInteger(value, "value", 32),
    data: readBytes(data, "data"),
    accessList: readAccessList(accessList),
    yParity: readYParity(yParity),
    r: readInteger(r, "r", 32),
    s: readInteger(s, "s", 32),
  };
}

function decodeDynamicFee(item: RlpItem): Transaction {
  const [chainId, nonce, tip, maxFee, gasLimit, to, value, data, accessList, yParity, r, s] = readList(
    item,
    "transaction",
    12,
    12,
  );
  return {
    type: 2,
    chainId: readInteger(chainId, "chainId", 32),
    nonce: readInteger(nonce, "nonce", 8),
    maxPriorityFeePerGas: readInteger(tip, "maxPriorityFeePerGas", 32),
    maxFeePerGas: readInteger(maxFee, "maxFeePerGas", 32),
    gasLimit: readInteger(gasLimit, "gasLimit", 8),
    to: readRecipient(to),
    value: readInteger(value, "value", 32),
    data: readBytes(data, "data"),
    accessList: readAccessList(accessList),
    yParity: readYParity(yParity),
    r: readInteger(r, "r", 32),
    s: readInteger(s, "s", 32),
  };
}

function readRecipient(item: RlpItem | undefined) {
  return readBytes(item, "to").length === 0 ? undefined : readAddress(item, "to");
}

function readYParity(item: RlpItem | undefined): 0 | 1 {
  const value = readInteger(item, "yParity", 32);
  if (value > 1n) {
    throw new TransactionError({ code: "TRANSACTION_SIGNATURE_INVALID", reason: `yParity is ${value}` });
  }
  return value === 0n ? 0 : 1;
}

function readAccessList(item: RlpItem | undefined): readonly AccessListEntry[] {
  return readList(item, "accessList").map((entry) => {
    const [address, storageKeys] = readList(entry, "accessList entry", 2, 2);
    return {
      address: readAddress(address, "accessList address"),
      storageKeys: readList(storageKeys, "storageKeys").map((key) => readHash(key, "storageKey")),
    };
  });
}

/** The EIP-2718 encoding. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  const { r, s, yParity } = transaction;
  const scalars = [bigIntToMinimalBytes(r), bigIntToMinimalBytes(s)];
  if (transaction.type === 0) {
    const { chainId } = transaction;
    const v = (chainId === undefined ? 27n : 35n + 2n * chainId) + BigInt(yParity);
    return encodeRlp([...payloadFields(transaction), bigIntToMinimalBytes(v), ...scalars]);
  }
  return envelope(transaction.type, [
    ...payloadFields(transaction),
    bigIntToMinimalBytes(BigInt(yParity)),
    ...scalars,
  ]);
}

/** The bytes whose Keccak-256 the sender signs. */
export function encodeForSigning(transaction: UnsignedTransaction): Uint8Array {
  const fields = payloadFields(transaction);
  if (transaction.type !== 0) return envelope(transaction.type, fields);
  if (transaction.chainId === undefined) return encodeRlp(fields);
  return encodeRlp([...fields, bigIntToMinimalBytes(transaction.chainId), EMPTY_BYTES, EMPTY_BYTES]);
}

function envelope(type: number, fields: readonly RlpItem[]): Uint8Array {
  return concatBytes(Uint8Array.of(type), encodeRlp(fields));
}

/** Everything before the signature. */
function payloadFields(transaction: UnsignedTransaction): readonly RlpItem[] {
  const { nonce, gasLimit, to, value, data } = transaction;
  const target = [
    bigIntToMinimalBytes(gasLimit),
    to === undefined ? EMPTY_BYTES : fromHex(to),
    bigIntToMinimalBytes(value),
    data,
  ];
  switch (transaction.type) {
    case 0:
      return [bigIntToMinimalBytes(nonce), bigIntToMinimalBytes(transaction.gasPrice), ...target];
    case 1:
      return [
        bigIntToMinimalBytes(transaction.chainId),
        bigIntToMinimalBytes(nonce),
        bigIntToMinimalBytes(transaction.gasPrice),
        ...target,
        accessListItem(transaction.accessList),
      ];
    case 2:
      return [
        bigIntToMinimalBytes(transaction.chainId),
        bigIntToMinimalBytes(nonce),
        bigIntToMinimalBytes(transaction.maxPriorityFeePerGas),
        bigIntToMinimalBytes(transaction.maxFeePerGas),
        ...target,
        accessListItem(transaction.accessList),
      ];
  }
}

function accessListItem(accessList: readonly AccessListEntry[]): RlpItem {
  return accessList.map(({ address, storageKeys }) => [fromHex(address), storageKeys.map(fromHex)]);
}
