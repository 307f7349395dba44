/** Blocks, transactions and receipts in the bytes that are hashed. See specs/rpc/methods.md#raw-bytes. */
import { EMPTY_BYTES, type Hash } from "../../primitives/bytes.ts";
import { encodeBlock } from "../../vm/block-codec.ts";
import { encodeHeader } from "../../vm/header.ts";
import { encodeReceipt } from "../../vm/receipt.ts";
import { blockParameter, requireBlock } from "../block-parameter.ts";
import type { ChainView } from "../chain-view.ts";
import { method } from "../method.ts";
import { prunedHistory } from "../rpc-errors.ts";
import { data, hash, listOf } from "../schema.ts";

export const getRawHeader = method({
  name: "debug_getRawHeader",
  summary: "RLP of a block's header.",
  params: { block: blockParameter },
  result: data,
  handle: ({ chain }, params) => encodeHeader(requireBlock(chain, params.block).header),
});

export const getRawBlock = method({
  name: "debug_getRawBlock",
  summary: "RLP of a block.",
  params: { block: blockParameter },
  result: data,
  handle({ chain }, params) {
    const { header, transactions, withdrawals } = requireBlock(chain, params.block);
    const raws = transactions.map(({ raw }) => raw);
    return encodeBlock({ header, transactions: raws, ommers: [], withdrawals });
  },
});

export const getRawReceipts = method({
  name: "debug_getRawReceipts",
  summary: "EIP-2718 encodings of a block's receipts.",
  params: { block: blockParameter },
  result: listOf(data, Number.POSITIVE_INFINITY),
  handle({ chain }, params) {
    const block = requireBlock(chain, params.block);
    const receipts = chain.receipts(block.hash);
    if (receipts === undefined) throw prunedHistory("block", block.header.number, chain.oldestBlock());
    return receipts.map(encodeReceipt);
  },
});

function rawTransaction(name: string) {
  return method({
    name,
    summary: "EIP-2718 encoding of a transaction, mined or waiting; empty when it is not known.",
    params: { hash },
    result: data,
    handle: ({ chain }, params) => rawBytes(chain, params.hash),
  });
}

function rawBytes(chain: ChainView, transactionHash: Hash): Uint8Array {
  return chain.transaction(transactionHash)?.transaction.raw ?? EMPTY_BYTES;
}

export const getRawTransaction = rawTransaction("debug_getRawTransaction");
export const getRawTransactionByHash = rawTransaction("eth_getRawTransactionByHash");
