/** Logs as clients see them, and where in the chain each one lies. See specs/rpc/objects.md. */
import type { Hex } from "../primitives/bytes.ts";
import { toHex } from "../primitives/bytes.ts";
import type { Block, ExecutedReceipt } from "../vm/block.ts";
import type { LocatedLog } from "./chain-view.ts";
import { toQuantity } from "./schema.ts";

export type LogJson = {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
  readonly transactionIndex: Hex;
  readonly blockHash: Hex;
  readonly blockTimestamp: Hex;
  readonly logIndex: Hex;
  readonly removed: boolean;
};

export function encodeLog(log: LocatedLog, removed = false): LogJson {
  return {
    address: log.address,
    topics: log.topics,
    data: toHex(log.data),
    blockNumber: toQuantity(log.blockNumber),
    transactionHash: log.transactionHash,
    transactionIndex: toQuantity(log.transactionIndex),
    blockHash: log.blockHash,
    blockTimestamp: toQuantity(log.blockTimestamp),
    logIndex: toQuantity(log.logIndex),
    removed,
  };
}

/** Every log of a block in order; log indices count through the whole block. */
export function locateLogs(block: Block, receipts: readonly ExecutedReceipt[]): LocatedLog[] {
  const located: LocatedLog[] = [];
  for (const [transactionIndex, receipt] of receipts.entries()) {
    const transactionHash = block.transactions[transactionIndex]?.hash;
    if (transactionHash === undefined) break;
    for (const log of receipt.logs) {
      located.push({
        ...log,
        blockHash: block.hash,
        blockNumber: block.header.number,
        blockTimestamp: block.header.timestamp,
        transactionHash,
        transactionIndex,
        logIndex: located.length,
      });
    }
  }
  return located;
}
