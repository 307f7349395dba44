/** Logs as clients see them, and where in the chain each one lies. See specs/rpc/objects.md. */
import type { Hex } from "../primitives/bytes.ts";
import { toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
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
  let firstLogIndex = 0;
  return receipts.flatMap((receipt, transactionIndex) => {
    const logs = locateLogsOf(block, receipt, transactionIndex, firstLogIndex);
    firstLogIndex += receipt.logs.length;
    return logs;
  });
}

/** The logs of one transaction; `firstLogIndex` is how many logs the block has before it. */
export function locateLogsOf(
  { hash, header, transactions }: Block,
  { logs }: ExecutedReceipt,
  transactionIndex: number,
  firstLogIndex: number,
): LocatedLog[] {
  const transactionHash = transactions[transactionIndex]?.hash;
  assert(transactionHash !== undefined, "a block has a transaction for each receipt");
  return logs.map((log, position) => ({
    ...log,
    blockHash: hash,
    blockNumber: header.number,
    blockTimestamp: header.timestamp,
    transactionHash,
    transactionIndex,
    logIndex: firstLogIndex + position,
  }));
}
