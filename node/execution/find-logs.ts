/** Logs of canonical blocks that match a filter, found through the index and block blooms. See specs/node/log-index.md#searching. */
import { fromHex } from "../../primitives/bytes.ts";
import type { LocatedLog, LogFilter } from "../../rpc/chain-view.ts";
import { locateLogs } from "../../rpc/encode-log.ts";
import { matchesLog } from "../../rpc/log-filter.ts";
import type { Header } from "../../vm/block.ts";
import { mayContain } from "../../vm/receipt.ts";
import type { Blocks } from "../storage/blocks.ts";
import type { LogIndex } from "./log-index.ts";

/** In chain order, at most `limit`. Blocks above the index, the unfinalized ones, are looked at one by one. */
export function findLogs(
  blocks: Blocks,
  index: LogIndex,
  filter: LogFilter,
  range: { readonly first: number; readonly last: number; readonly limit: number },
): readonly LocatedLog[] {
  const { first, last, limit } = range;
  const indexedTo = Math.min(last, index.indexedTo());
  const found: LocatedLog[] = [];
  for (const number of index.candidates(filter, first, indexedTo)) {
    if (!collect(blocks, filter, number, found, limit)) return found;
  }
  for (let number = Math.max(first, indexedTo + 1); number <= last; number++) {
    if (!collect(blocks, filter, number, found, limit)) return found;
  }
  return found;
}

/** Adds the block's matching logs; false when `limit` is reached. */
function collect(
  blocks: Blocks,
  filter: LogFilter,
  number: number,
  found: LocatedLog[],
  limit: number,
): boolean {
  const hash = blocks.canonicalHash(number);
  const block = hash === undefined ? undefined : blocks.get(hash);
  if (block === undefined || !mayMatch(filter, block.header)) return true;
  for (const log of locateLogs(block, blocks.receipts(block.hash) ?? [])) {
    if (!matchesLog(filter, log)) continue;
    if (found.length === limit) return false;
    found.push(log);
  }
  return true;
}

/** The bloom's word: no means no. */
function mayMatch({ addresses, topics }: LogFilter, { logsBloom }: Header): boolean {
  const mayHaveOne = (alternatives: readonly `0x${string}`[] | undefined) =>
    alternatives === undefined || alternatives.some((value) => mayContain(logsBloom, fromHex(value)));
  return (addresses.length === 0 || mayHaveOne(addresses)) && topics.every(mayHaveOne);
}
