/** Receipts as clients see them; the fields are exactly those of the specification. See specs/rpc/objects.md. */
import { toHex } from "../primitives/bytes.ts";
import type { Block, ExecutedReceipt } from "../vm/block.ts";
import { encodeLog, locateLogs } from "./encode-log.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/** One receipt per transaction of `block`, in order. */
export function encodeReceipts(block: Block, receipts: readonly ExecutedReceipt[]): JsonObject[] {
  const logs = locateLogs(block, receipts).map((log) => encodeLog(log));
  let firstLog = 0;
  return block.transactions.flatMap(({ transaction, hash, sender }, index) => {
    const receipt = receipts[index];
    if (receipt === undefined) return [];
    const own = logs.slice(firstLog, firstLog + receipt.logs.length);
    firstLog += receipt.logs.length;
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
      logs: own,
      logsBloom: toHex(receipt.logsBloom),
    };
  });
}
