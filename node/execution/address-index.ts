/** In which transactions of finalized blocks an account took part. See specs/node/address-index.md. */
import { type Address, concatBytes, fromHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Database, Table } from "../storage/database.ts";
import { NUMBER_BYTES, numberFromKey, numberKey } from "../storage/state-codec.ts";
import type { BlockIndex } from "./block-indexer.ts";

/** What indexing a block takes: for each transaction, who took part in it. */
export type AttendedBlock = { readonly number: number; readonly participants: readonly Iterable<Address>[] };

/** Indices of the transactions of one block, ascending. */
export type Attendance = { readonly number: number; readonly indices: readonly number[] };

/** Raised when what a posting says, or who counts as taking part, changes: the index is then built anew. */
const VERSION = 1;
/** A block has room for far fewer transactions. */
const INDEX_BYTES = 3;
const INDEX_LIMIT = 2 ** (8 * INDEX_BYTES);
const INDEXED_TO = utf8ToBytes("indexed-to");
const VERSION_KEY = utf8ToBytes("version");
/** Postings removed in one commit when an index is built anew. */
const CLEAR_BATCH = 10_000;

/**
 * Posting lists: account ‖ block number → the block's transactions it took part in. Only finalized blocks
 * are in it, so nothing is ever taken out.
 */
export class AddressIndex implements BlockIndex<AttendedBlock> {
  readonly #database: Database;
  readonly #postings: Table;
  readonly #records: Table;

  constructor(database: Database) {
    this.#database = database;
    this.#postings = database.table("address-postings");
    this.#records = database.table("address-index");
  }

  indexedTo(): number {
    const record = this.#isCurrent() ? this.#records.get(INDEXED_TO) : undefined;
    return record === undefined ? -1 : numberFromKey(record);
  }

  /** Empties an index of another version, a part at a time; the indexer then begins anew. */
  async prepare(): Promise<void> {
    if (this.#isCurrent()) return;
    for (let isEmpty = false; !isEmpty; ) {
      isEmpty = await this.#database.commit(() => {
        const batch = [...this.#postings.range({ limit: CLEAR_BATCH })];
        for (const { key } of batch) this.#postings.remove(key);
        return batch.length < CLEAR_BATCH;
      });
    }
    await this.#database.commit(() => {
      this.#records.remove(INDEXED_TO);
      this.#records.put(VERSION_KEY, numberKey(VERSION));
    });
  }

  async add(blocks: readonly AttendedBlock[]): Promise<void> {
    const last = blocks.at(-1);
    if (last === undefined) return;
    assert(this.#isCurrent(), "an index is prepared before it is added to");
    await this.#database.commit(() => {
      for (const block of blocks) this.#addBlock(block);
      this.#records.put(INDEXED_TO, numberKey(last.number));
    });
  }

  /** Blocks from `first` to `last` in which the account took part, ascending or, with `reverse`, descending. */
  *attendances(address: Address, first: number, last: number, reverse: boolean): Iterable<Attendance> {
    const account = fromHex(address);
    const from = concatBytes(account, numberKey(first));
    const to = concatBytes(account, numberKey(last + 1));
    for (const { key, value } of this.#postings.range({ from, to, reverse })) {
      yield { number: numberFromKey(key, key.length - NUMBER_BYTES), indices: decodeIndices(value) };
    }
  }

  #isCurrent(): boolean {
    const version = this.#records.get(VERSION_KEY);
    return version !== undefined && numberFromKey(version) === VERSION;
  }

  #addBlock({ number, participants }: AttendedBlock): void {
    assert(participants.length <= INDEX_LIMIT, "a block's transactions can be numbered");
    const byAccount = new Map<Address, number[]>();
    for (const [index, addresses] of participants.entries()) {
      for (const address of new Set(addresses)) {
        const indices = byAccount.get(address);
        if (indices === undefined) byAccount.set(address, [index]);
        else indices.push(index);
      }
    }
    const ofBlock = numberKey(number);
    for (const [address, indices] of byAccount) {
      this.#postings.put(concatBytes(fromHex(address), ofBlock), encodeIndices(indices));
    }
  }
}

function encodeIndices(indices: readonly number[]): Uint8Array {
  return Uint8Array.from(indices.flatMap((index) => [index >>> 16, (index >>> 8) & 0xff, index & 0xff]));
}

function decodeIndices(bytes: Uint8Array): readonly number[] {
  return Array.from({ length: bytes.length / INDEX_BYTES }, (_, at) => {
    const [high = 0, middle = 0, low = 0] = bytes.subarray(at * INDEX_BYTES, (at + 1) * INDEX_BYTES);
    return (high << 16) | (middle << 8) | low;
  });
}
