/** Which finalized blocks have logs of an address or with a topic. See specs/node/log-index.md. */
import { concatBytes, EMPTY_BYTES, fromHex, type Hex, utf8ToBytes } from "../../primitives/bytes.ts";
import type { LogFilter } from "../../rpc/chain-view.ts";
import type { Log } from "../../vm/block.ts";
import type { Blocks } from "../storage/blocks.ts";
import type { Database, Table } from "../storage/database.ts";
import { NUMBER_BYTES, numberFromKey, numberKey } from "../storage/state-codec.ts";
import type { BlockIndex } from "./block-indexer.ts";

/** What indexing a block takes. */
export type LoggedBlock = { readonly number: number; readonly logs: readonly Log[] };

/** All of a canonical block's logs. */
export function loggedBlock(blocks: Blocks, number: number): LoggedBlock {
  const hash = blocks.canonicalHash(number);
  const receipts = hash === undefined ? [] : (blocks.receipts(hash) ?? []);
  return { number, logs: receipts.flatMap(({ logs }) => logs) };
}

/** First byte of a posting: what kind of value it is for. Topics use their position, 0 to 3. */
const ADDRESS = 0xa0;
/** Blocks that have logs at all, for filters that name neither address nor topic. */
const ANY_LOG = 0xff;
const INDEXED_TO = utf8ToBytes("indexed-to");

/**
 * Posting lists: a table of value ‖ block number, whose order makes "blocks from a to b with this value"
 * one short scan. Only finalized blocks are in it, so nothing is ever taken out.
 */
export class LogIndex implements BlockIndex<LoggedBlock> {
  readonly #database: Database;
  readonly #postings: Table;
  readonly #records: Table;

  constructor(database: Database) {
    this.#database = database;
    this.#postings = database.table("log-postings");
    this.#records = database.table("log-index");
  }

  /** Number of the last block in the index; -1 before the first. */
  indexedTo(): number {
    const record = this.#records.get(INDEXED_TO);
    return record === undefined ? -1 : numberFromKey(record);
  }

  /** Adds finalized blocks, the first right after `indexedTo`, in one commit. */
  async add(blocks: readonly LoggedBlock[]): Promise<void> {
    const last = blocks.at(-1);
    if (last === undefined) return;
    await this.#database.commit(() => {
      for (const block of blocks) this.#addBlock(block);
      this.#records.put(INDEXED_TO, numberKey(last.number));
    });
  }

  #addBlock({ number, logs }: LoggedBlock): void {
    const put = (value: Uint8Array) => this.#postings.put(concatBytes(value, numberKey(number)), EMPTY_BYTES);
    if (logs.length > 0) put(Uint8Array.of(ANY_LOG));
    const values = new Map<string, Uint8Array>();
    for (const { address, topics } of logs) {
      values.set(address, posting(ADDRESS, address));
      for (const [position, topic] of topics.entries()) {
        values.set(`${position}${topic}`, posting(position, topic));
      }
    }
    for (const value of values.values()) put(value);
  }

  /**
   * Numbers of indexed blocks from `first` to `last` that may have a matching log, ascending. Each named
   * address and topic is in the block, though not always in the same log.
   */
  candidates(filter: LogFilter, first: number, last: number): readonly number[] {
    const wanted = [
      ...(filter.addresses.length > 0 ? [filter.addresses.map((value) => posting(ADDRESS, value))] : []),
      ...filter.topics.flatMap((alternatives, position) =>
        alternatives === undefined ? [] : [alternatives.map((value) => posting(position, value))],
      ),
    ];
    if (wanted.length === 0) wanted.push([Uint8Array.of(ANY_LOG)]);
    let found: Set<number> | undefined;
    for (const alternatives of wanted) {
      const blocks = new Set<number>();
      for (const value of alternatives) {
        for (const number of this.#blocksWith(value, first, last)) {
          if (found === undefined || found.has(number)) blocks.add(number);
        }
      }
      found = blocks;
      if (found.size === 0) return [];
    }
    return [...(found ?? [])].sort((a, b) => a - b);
  }

  *#blocksWith(value: Uint8Array, first: number, last: number): Iterable<number> {
    const from = concatBytes(value, numberKey(first));
    const to = concatBytes(value, numberKey(last + 1));
    for (const { key } of this.#postings.range({ from, to })) {
      yield numberFromKey(key, key.length - NUMBER_BYTES);
    }
  }
}

function posting(kind: number, value: Hex): Uint8Array {
  return concatBytes(Uint8Array.of(kind), fromHex(value));
}
