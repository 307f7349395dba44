/** Blocks, by number or hash. See specs/rpc/methods.md#blocks. */
import { anyBlock, blockNumberOrTag, findBlock } from "../block-parameter.ts";
import type { BlockReference, ChainView } from "../chain-view.ts";
import { encodeBlock } from "../encode-block.ts";
import { encodeReceipts } from "../encode-receipt.ts";
import type { JsonObject } from "../json.ts";
import { arrayOf, orNull, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { prunedHistory } from "../rpc-errors.ts";
import { asJson, boolean, count, hash, nullable, optional } from "../schema.ts";

const blockOrNull = asJson<JsonObject | null>("a block, or null", orNull(ref("Block")));
const fullTransactions = optional(boolean, false);
const countOrNull = nullable(count);

export const blockNumber = method({
  name: "eth_blockNumber",
  summary: "Number of the head block.",
  params: {},
  result: count,
  handle: ({ chain }) => chain.head().header.number,
});

export const getBlockByNumber = method({
  name: "eth_getBlockByNumber",
  summary: "A canonical block, with transaction hashes or whole transactions; null when there is none.",
  params: { block: blockNumberOrTag, fullTransactions },
  result: blockOrNull,
  handle: ({ chain }, params) => blockJson(chain, params.block, params.fullTransactions),
});

export const getBlockByHash = method({
  name: "eth_getBlockByHash",
  summary: "A block by its hash, canonical or not; null when it is not known.",
  params: { hash, fullTransactions },
  result: blockOrNull,
  handle: ({ chain }, params) => blockJson(chain, { hash: params.hash }, params.fullTransactions),
});

function blockJson(chain: ChainView, reference: BlockReference, full: boolean): JsonObject | null {
  const block = findBlock(chain, reference);
  return block === undefined ? null : encodeBlock(block, full);
}

export const getBlockReceipts = method({
  name: "eth_getBlockReceipts",
  summary: "All receipts of a block; null when there is no such block.",
  params: { block: anyBlock },
  result: asJson<readonly JsonObject[] | null>("receipts, or null", orNull(arrayOf(ref("Receipt")))),
  handle({ chain }, params) {
    const block = findBlock(chain, params.block);
    if (block === undefined) return null;
    const receipts = chain.receipts(block.hash);
    if (receipts === undefined) throw prunedHistory("block", block.header.number, chain.oldestBlock());
    return encodeReceipts(block, receipts);
  },
});

/** A number that each block has, asked for by hash and by number; null when there is no such block. */
function blockCounts(
  name: string,
  summary: string,
  read: (reference: BlockReference, chain: ChainView) => number | null,
) {
  return [
    method({
      name: `${name}ByHash`,
      summary,
      params: { hash },
      result: countOrNull,
      handle: ({ chain }, params) => read({ hash: params.hash }, chain),
    }),
    method({
      name: `${name}ByNumber`,
      summary,
      params: { block: blockNumberOrTag },
      result: countOrNull,
      handle: ({ chain }, params) => read(params.block, chain),
    }),
  ] as const;
}

export const [getTransactionCountByHash, getTransactionCountByNumber] = blockCounts(
  "eth_getBlockTransactionCount",
  "How many transactions a block has.",
  (reference, chain) => findBlock(chain, reference)?.transactions.length ?? null,
);
