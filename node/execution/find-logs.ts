/** Logs of canonical blocks that match a filter, found through the index and block blooms. See specs/node/log-index.md#searching. */
import { fromHex } from "../../primitives/bytes.ts";
import type { FoundLogs, LogFilter, LogLimits } from "../../rpc/chain-view.ts";
import { matchesLog } from "../../rpc/log-filter.ts";
import type { Header } from "../../vm/block.ts";
import { mayContain } from "../../vm/receipt.ts";
import type { Blocks } from "../storage/blocks.ts";
import { BlockLogs } from "./block-logs.ts";
import type { LogIndex } from "./log-index.ts";

/** Canonical blocks `first` to `last`, both included. */
export type LogSearchRange = { readonly first: number; readonly last: number; readonly limits: LogLimits };

/** Blocks above the index, the unfinalized ones, are looked at one by one. */
export class LogSearch {
  readonly #blocks: Blocks;
  readonly #index: LogIndex;
  readonly #logs = new BlockLogs();

  constructor(blocks: Blocks, index: LogIndex) {
    this.#blocks = blocks;
    this.#index = index;
  }

  /** In chain order. */
  find(filter: LogFilter, { first, last, limits }: LogSearchRange): FoundLogs {
    const found: string[] = [];
    // A bracket, and a comma or the other bracket after each.
    let characters = 1;
    for (const number of this.#candidates(filter, first, last)) {
      for (const { log, json } of this.#logsAt(number, filter)) {
        if (!matchesLog(filter, log)) continue;
        if (found.length === limits.logs) return { beyond: "logs", blockNumber: number };
        const text = json();
        characters += text.length + 1;
        if (characters > limits.characters) return { beyond: "characters", blockNumber: number };
        found.push(text);
      }
    }
    return { json: `[${found.join(",")}]` };
  }

  *#candidates(filter: LogFilter, first: number, last: number): Iterable<number> {
    const indexedTo = Math.min(last, this.#index.indexedTo());
    if (first <= indexedTo) yield* this.#index.candidates(filter, first, indexedTo);
    for (let number = Math.max(first, indexedTo + 1); number <= last; number++) yield number;
  }

  #logsAt(number: number, filter: LogFilter) {
    const hash = this.#blocks.canonicalHash(number);
    const block = hash === undefined ? undefined : this.#blocks.get(hash);
    if (block === undefined || !mayMatch(filter, block.header)) return [];
    return this.#logs.of(block, () => this.#blocks.receipts(block.hash) ?? []);
  }
}

/** The bloom's word: no means no. */
function mayMatch({ addresses, topics }: LogFilter, { logsBloom }: Header): boolean {
  const mayHaveOne = (alternatives: readonly `0x${string}`[] | undefined) =>
    alternatives === undefined || alternatives.some((value) => mayContain(logsBloom, fromHex(value)));
  return (addresses.length === 0 || mayHaveOne(addresses)) && topics.every(mayHaveOne);
}
