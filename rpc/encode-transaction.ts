/** Transactions as clients see them, mined or waiting. See specs/rpc/objects.md. */
import { type Hex, toHex } from "../primitives/bytes.ts";
import type { Block } from "../vm/block.ts";
import type { RecoveredTransaction, Transaction } from "../vm/transaction.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

export type TransactionPlace = { readonly block: Block; readonly index: number };

/** `place` is undefined while the transaction waits in the pool: block fields are then null. */
export function encodeTransaction(
  { transaction, hash, sender }: RecoveredTransaction,
  place: TransactionPlace | undefined,
): JsonObject {
  const header = place?.block.header;
  return {
    blockHash: place?.block.hash ?? null,
    blockNumber: header === undefined ? null : toQuantity(header.number),
    blockTimestamp: header === undefined ? null : toQuantity(header.timestamp),
    transactionIndex: place === undefined ? null : toQuantity(place.index),
    hash,
    from: sender,
    type: toQuantity(transaction.type),
    nonce: toQuantity(transaction.nonce),
    to: transaction.to ?? null,
    gas: toQuantity(transaction.gasLimit),
    value: toQuantity(transaction.value),
    input: toHex(transaction.data),
    ...encodeFees(transaction, header?.baseFeePerGas),
    ...encodeSignature(transaction),
  };
}

/**
 * `gasPrice` is what a mined transaction paid, and the most a waiting dynamic-fee one would pay.
 */
function encodeFees(transaction: Transaction, baseFeePerGas: bigint | undefined): JsonObject {
  if (transaction.type !== 2) return { gasPrice: toQuantity(transaction.gasPrice) };
  const { maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const withTip = (baseFeePerGas ?? maxFeePerGas) + maxPriorityFeePerGas;
  return {
    gasPrice: toQuantity(withTip < maxFeePerGas ? withTip : maxFeePerGas),
    maxFeePerGas: toQuantity(maxFeePerGas),
    maxPriorityFeePerGas: toQuantity(maxPriorityFeePerGas),
  };
}

function encodeSignature(transaction: Transaction): JsonObject {
  const { r, s, yParity, chainId } = transaction;
  const signature = { r: toQuantity(r), s: toQuantity(s) };
  if (transaction.type === 0) {
    // EIP-155 folds the chain id into v; before it, v was 27 or 28.
    const v = chainId === undefined ? 27n + BigInt(yParity) : 35n + 2n * chainId + BigInt(yParity);
    const chain: { readonly chainId?: Hex } = chainId === undefined ? {} : { chainId: toQuantity(chainId) };
    return { ...chain, v: toQuantity(v), ...signature };
  }
  return {
    chainId: toQuantity(transaction.chainId),
    accessList: transaction.accessList,
    yParity: toQuantity(yParity),
    v: toQuantity(yParity),
    ...signature,
  };
}
