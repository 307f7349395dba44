/** Receipts as clients see them; the fields are exactly those of the specification. See specs/rpc/objects.md. */
import { toHex } from "../primitives/bytes.ts";
import type { Block, ExecutedReceipt } from "../vm/block.ts";
import { encodeLog, locateLogsOf } from "./encode-log.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/** The receipt of the transaction at `index`. */
export function encodeReceipt(
  block: Block,
  receipts: readonly ExecutedReceipt[],
  index: number,
): JsonObject | undefined {
  const recovered = block.transactions[index];
  const receipt = receipts[index];
  if (recovered === undefined || receipt === undefined) return undefined;
  const { transaction, hash, sender } = recovered;
  const firstLogIndex = receipts.slice(0, index).reduce((count, { logs }) => count + logs.length, 0);
  return {
    type: toQuantity(receipt.type),
    status: receipt.succeeded ? "0x1" : "0x0",
    transactionHash: hash,
    transactionIndex: toQuantity(index),
    blockHash: block.hash,
    blockNumber: toQuantity(block.header.number),
    from: sender,
    to: transaction.to ?? null,
    contractAddress: receipt.contractAddress ?? null,
    gasUsed: toQuantity(receipt.gasUsed),
    cumulativeGasUsed: toQuantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: toQuantity(receipt.effectiveGasPrice),
    logs: locateLogsOf(block, receipt, index, firstLogIndex).map((log) => encodeLog(log)),
    logsBloom: toHex(receipt.logsBloom),
  };
}

/** One receipt per transaction of the block, in order. */
export function encodeReceipts(block: Block, receipts: readonly ExecutedReceipt[]): JsonObject[] {
  return receipts
    .map((_, index) => encodeReceipt(block, receipts, index))
    .filter((receipt) => receipt !== undefined);
}
