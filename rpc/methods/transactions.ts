/** Transactions: sending, finding, and their receipts. See specs/rpc/methods.md#transactions. */
import type { Hash } from "../../primitives/bytes.ts";
import { blockNumberOrTag, findBlock } from "../block-parameter.ts";
import type { BlockReference, ChainView } from "../chain-view.ts";
import { encodeReceipt } from "../encode-receipt.ts";
import { encodeTransaction } from "../encode-transaction.ts";
import type { JsonObject } from "../json.ts";
import { orNull, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { asJson, count, data, hash } from "../schema.ts";

const transactionOrNull = asJson<JsonObject | null>("a transaction, or null", orNull(ref("Transaction")));

export const sendRawTransaction = method({
  name: "eth_sendRawTransaction",
  summary: "Admits a signed transaction to the pool and gossips it; answers its hash.",
  params: { transaction: data },
  result: hash,
  async handle({ chain }, params) {
    const admitted = await chain.submitTransaction(params.transaction);
    return admitted.hash;
  },
});

export const getTransactionByHash = method({
  name: "eth_getTransactionByHash",
  summary: "A transaction, mined or waiting in the pool; null when it is not known.",
  params: { hash },
  result: transactionOrNull,
  handle({ chain }, params) {
    const located = chain.transaction(params.hash);
    if (located === undefined) return null;
    const { transaction, block, index } = located;
    return encodeTransaction(transaction, block === undefined ? undefined : { block, index });
  },
});

export const getTransactionByBlockHashAndIndex = method({
  name: "eth_getTransactionByBlockHashAndIndex",
  summary: "The transaction at an index of a block; null when there is none.",
  params: { hash, index: count },
  result: transactionOrNull,
  handle: ({ chain }, params) => transactionAt(chain, { hash: params.hash }, params.index),
});

export const getTransactionByBlockNumberAndIndex = method({
  name: "eth_getTransactionByBlockNumberAndIndex",
  summary: "The transaction at an index of a canonical block; null when there is none.",
  params: { block: blockNumberOrTag, index: count },
  result: transactionOrNull,
  handle: ({ chain }, params) => transactionAt(chain, params.block, params.index),
});

function transactionAt(chain: ChainView, reference: BlockReference, index: number): JsonObject | null {
  const block = findBlock(chain, reference);
  const transaction = block?.transactions[index];
  if (block === undefined || transaction === undefined) return null;
  return encodeTransaction(transaction, { block, index });
}

export const getTransactionReceipt = method({
  name: "eth_getTransactionReceipt",
  summary: "The receipt of a mined transaction; null while it waits or when it is not known.",
  params: { hash },
  result: asJson<JsonObject | null>("a receipt, or null", orNull(ref("Receipt"))),
  handle: ({ chain }, params) => findReceipt(chain, params.hash),
});

/** Null while the transaction waits or when it is not known. */
export function findReceipt(chain: ChainView, transactionHash: Hash): JsonObject | null {
  const located = chain.transaction(transactionHash);
  if (located?.block === undefined) return null;
  const receipts = chain.receipts(located.block.hash);
  if (receipts === undefined) return null;
  return encodeReceipt(located.block, receipts, located.index) ?? null;
}
