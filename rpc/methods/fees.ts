/** Fees: what to pay now, and what was paid. See specs/rpc/fees.md. */

import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Block } from "../../vm/block.ts";
import { blockNumberOrTag, requireBlock } from "../block-parameter.ts";
import type { ChainView } from "../chain-view.ts";
import { suggestTip, tipsAtPercentiles } from "../fee-oracle.ts";
import type { Json, JsonObject } from "../json.ts";
import { ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { invalidParams, prunedHistory } from "../rpc-errors.ts";
import {
  asJson,
  listOf,
  numberOrCount,
  optional,
  quantity,
  type Schema,
  SchemaError,
  toQuantity,
} from "../schema.ts";

/** Blocks in one fee history; more are not an error, but fewer come back, as in geth. */
const HISTORY_BLOCKS_LIMIT = 1024;
const PERCENTILES_LIMIT = 100;

export const gasPrice = method({
  name: "eth_gasPrice",
  summary: "A gas price for a legacy transaction: next base fee plus suggested tip.",
  params: {},
  result: quantity,
  handle: ({ chain }) => chain.nextBaseFee() + suggestTip(chain),
});

export const maxPriorityFeePerGas = method({
  name: "eth_maxPriorityFeePerGas",
  summary: "A tip per gas that recent blocks would have taken.",
  params: {},
  result: quantity,
  handle: ({ chain }) => suggestTip(chain),
});

export const baseFee = method({
  name: "eth_baseFee",
  summary: "Base fee per gas of the next block.",
  params: {},
  result: quantity,
  handle: ({ chain }) => chain.nextBaseFee(),
});

/** There are no blobs on this chain: their base fee stays at the least EIP-4844 allows, 1 wei. */
const BLOB_BASE_FEE_WEI = 1n;

export const blobBaseFee = method({
  name: "eth_blobBaseFee",
  summary: "Base fee per blob gas: always 1 wei.",
  params: {},
  result: quantity,
  handle: () => BLOB_BASE_FEE_WEI,
});

const percentile: Schema<number> = {
  expects: "a number from 0 to 100",
  shape: { type: "number", minimum: 0, maximum: 100 },
  read(json, at) {
    if (typeof json !== "number") throw new SchemaError(at, "expected a number from 0 to 100");
    return json;
  },
  write: (value) => value,
};

export const feeHistory = method({
  name: "eth_feeHistory",
  summary: "Base fees, fullness and tips by percentile of consecutive blocks.",
  params: {
    blockCount: numberOrCount("a number of blocks"),
    newestBlock: blockNumberOrTag,
    rewardPercentiles: optional(
      listOf(percentile, PERCENTILES_LIMIT, `over the query limit ${PERCENTILES_LIMIT}`),
    ),
  },
  result: asJson<JsonObject>("a fee history", ref("FeeHistory")),
  async handle({ chain }, params) {
    const percentiles = params.rewardPercentiles ?? [];
    checkPercentiles(percentiles);
    if (params.blockCount === 0) return { oldestBlock: "0x0", baseFeePerGas: [], gasUsedRatio: [] };
    if ("number" in params.newestBlock && params.newestBlock.number > chain.head().header.number) {
      throw invalidParams(
        `request beyond head block: requested ${params.newestBlock.number}, head ${chain.head().header.number}`,
      );
    }
    const newest = requireBlock(chain, params.newestBlock);
    const blocks = consecutiveBlocks(chain, newest, Math.min(params.blockCount, HISTORY_BLOCKS_LIMIT));
    return historyOf(chain, blocks, params.rewardPercentiles);
  },
});

/** @throws RpcError in geth's words. */
function checkPercentiles(percentiles: readonly number[]): void {
  for (const [index, value] of percentiles.entries()) {
    const previous = percentiles[index - 1];
    if (!(value >= 0 && value <= 100)) throw invalidParams(`invalid reward percentile: ${value}`);
    if (previous !== undefined && value <= previous) {
      throw invalidParams(`invalid reward percentile: #${index - 1}:${previous} >= #${index}:${value}`);
    }
  }
}

/** Up to `length` blocks that end in `newest`, oldest first; fewer at genesis or at pruned history. */
function consecutiveBlocks(chain: ChainView, newest: Block, length: number): readonly Block[] {
  const blocks: Block[] = [];
  let block: Block | undefined = newest;
  while (block !== undefined && blocks.length < length) {
    blocks.push(block);
    block = block.header.number === 0 ? undefined : chain.block({ hash: block.header.parentHash });
  }
  return blocks.reverse();
}

async function historyOf(
  chain: ChainView,
  blocks: readonly Block[],
  percentiles: readonly number[] | undefined,
): Promise<JsonObject> {
  const newest = blocks.at(-1);
  const after = newest === undefined ? 0n : nextBaseFee(newest.header);
  const baseFees = [...blocks.map(({ header }) => header.baseFeePerGas ?? 0n), after];
  const history = {
    oldestBlock: toQuantity(blocks[0]?.header.number ?? 0),
    baseFeePerGas: baseFees.map(toQuantity),
    gasUsedRatio: blocks.map(({ header }) => Number(header.gasUsed) / Number(header.gasLimit)),
    // Clients that know EIP-4844 expect the fields.
    baseFeePerBlobGas: baseFees.map(() => toQuantity(BLOB_BASE_FEE_WEI)),
    blobGasUsedRatio: blocks.map(() => 0),
  };
  if (percentiles === undefined || percentiles.length === 0) return history;
  const reward: Json[] = [];
  for (const block of blocks) {
    const receipts = chain.receipts(block.hash);
    if (receipts === undefined) throw prunedHistory("block", block.header.number, chain.oldestBlock());
    reward.push(tipsAtPercentiles(block, receipts, percentiles).map(toQuantity));
    // Receipts of a full block take milliseconds to read: other work of the thread gets a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...history, reward };
}
