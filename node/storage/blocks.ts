/** Execution blocks, their receipts and where each transaction went. See specs/node/storage.md#execution-blocks. */
import { concatBytes, EMPTY_BYTES, type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import type { BlockResult } from "../../vm/block-execution.ts";
import {
  decodeParticipants,
  decodeStoredBlock,
  decodeStoredReceipts,
  encodeParticipants,
  encodeStoredBlock,
  encodeStoredReceipts,
} from "./block-codec.ts";
import type { Database, Table } from "./database.ts";
import { hashKey, NUMBER_BYTES, numberFromKey, numberKey } from "./state-codec.ts";

/** Where a canonical transaction is. */
export type TransactionLocation = { readonly blockHash: Hash; readonly index: number };

/** A block that is stored but not finalized. */
export type UnfinalizedBlock = { readonly number: number; readonly hash: Hash };

/** What fork choice last said, as block hashes. */
export type StoredForkchoice = { readonly head: Hash; readonly safe: Hash; readonly finalized: Hash };

/** Decoded blocks kept in memory: the head and its last ancestors are asked for all the time. */
const CACHED_BLOCKS_LIMIT = 64;
/** Decoded receipts kept, by block: after each block its receipts are asked for one by one. */
const CACHED_RECEIPTS_LIMIT = 8;

const FORKCHOICE = utf8ToBytes("forkchoice");
const HASH_BYTES = 32;

export class Blocks {
  readonly #database: Database;
  readonly #blocks: Table;
  readonly #receipts: Table;
  readonly #participants: Table;
  readonly #canonical: Table;
  readonly #transactions: Table;
  readonly #unfinalized: Table;
  readonly #records: Table;
  readonly #cache = new Map<Hash, Block>();
  readonly #receiptsCache = new Map<Hash, readonly ExecutedReceipt[]>();

  constructor(database: Database) {
    this.#database = database;
    this.#blocks = database.table("blocks");
    this.#receipts = database.table("receipts");
    this.#participants = database.table("participants");
    this.#canonical = database.table("canonical");
    this.#transactions = database.table("transactions");
    this.#unfinalized = database.table("unfinalized");
    this.#records = database.table("block-records");
  }

  /** Stores an executed block that is not finalized yet. */
  async put(
    block: Block,
    receipts: readonly ExecutedReceipt[],
    innerParticipants: BlockResult["innerParticipants"] = [],
  ): Promise<void> {
    await this.#database.commit(() => {
      this.#blocks.put(hashKey(block.hash), encodeStoredBlock(block));
      this.#receipts.put(hashKey(block.hash), encodeStoredReceipts(receipts));
      if (innerParticipants.some(({ length }) => length > 0)) {
        this.#participants.put(hashKey(block.hash), encodeParticipants(innerParticipants));
      }
      this.#unfinalized.put(concatBytes(numberKey(block.header.number), hashKey(block.hash)), EMPTY_BYTES);
    });
    remember(this.#cache, block.hash, block, CACHED_BLOCKS_LIMIT);
    remember(this.#receiptsCache, block.hash, receipts, CACHED_RECEIPTS_LIMIT);
  }

  get(hash: Hash): Block | undefined {
    const cached = this.#cache.get(hash);
    if (cached !== undefined) return cached;
    const bytes = this.#blocks.get(hashKey(hash));
    if (bytes === undefined) return undefined;
    const block = decodeStoredBlock(hash, bytes);
    remember(this.#cache, hash, block, CACHED_BLOCKS_LIMIT);
    return block;
  }

  /** One receipt per transaction of the block. */
  receipts(hash: Hash): readonly ExecutedReceipt[] | undefined {
    const cached = this.#receiptsCache.get(hash);
    if (cached !== undefined) return cached;
    const bytes = this.#receipts.get(hashKey(hash));
    if (bytes === undefined) return undefined;
    const receipts = decodeStoredReceipts(bytes);
    remember(this.#receiptsCache, hash, receipts, CACHED_RECEIPTS_LIMIT);
    return receipts;
  }

  /** Whom the calls inside each transaction reached; empty when none did. */
  innerParticipants(hash: Hash): BlockResult["innerParticipants"] {
    const bytes = this.#participants.get(hashKey(hash));
    return bytes === undefined ? [] : decodeParticipants(bytes);
  }

  /** Hash of the block with this number on the canonical chain. */
  canonicalHash(number: number): Hash | undefined {
    const hash = this.#canonical.get(numberKey(number));
    return hash === undefined ? undefined : toHex(hash);
  }

  /** Number of the oldest canonical block kept. */
  oldest(): number {
    for (const { key } of this.#canonical.range({ limit: 1 })) return numberFromKey(key);
    return 0;
  }

  /** Undefined unless the transaction is in a canonical block. */
  transaction(hash: Hash): TransactionLocation | undefined {
    const location = this.#transactions.get(hashKey(hash));
    if (location === undefined) return undefined;
    return { blockHash: toHex(location.subarray(0, HASH_BYTES)), index: numberFromKey(location, HASH_BYTES) };
  }

  /** Ascending by number, so that a block's parent comes before it. */
  unfinalized(): readonly UnfinalizedBlock[] {
    return [...this.#unfinalized.range({})].map(({ key }) => unfinalizedFromKey(key));
  }

  forkchoice(): StoredForkchoice | undefined {
    const record = this.#records.get(FORKCHOICE);
    if (record === undefined) return undefined;
    const hashAt = (index: number) => toHex(record.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
    return { head: hashAt(0), safe: hashAt(1), finalized: hashAt(2) };
  }

  /** Inside a write. */
  putForkchoice({ head, safe, finalized }: StoredForkchoice): void {
    this.#records.put(FORKCHOICE, concatBytes(hashKey(head), hashKey(safe), hashKey(finalized)));
  }

  /** The first block of the chain, canonical and final from the start. Inside a write. */
  putGenesis(block: Block): void {
    this.#blocks.put(hashKey(block.hash), encodeStoredBlock(block));
    this.#receipts.put(hashKey(block.hash), encodeStoredReceipts([]));
    this.#canonical.put(numberKey(block.header.number), hashKey(block.hash));
  }

  /** A final block whose receipts are not known: it was not executed here. Inside a write. */
  putCheckpoint(block: Block): void {
    this.#blocks.put(hashKey(block.hash), encodeStoredBlock(block));
    this.moveCanonical([], [block]);
  }

  /**
   * Moves the canonical chain: by number and by transaction. Inside a write.
   *
   * @param removed blocks that leave it.
   * @param added blocks that join it, oldest first; a transaction that is in both is found in these.
   */
  moveCanonical(removed: readonly Block[], added: readonly Block[]): void {
    for (const block of removed) {
      this.#canonical.remove(numberKey(block.header.number));
      for (const { hash } of block.transactions) this.#transactions.remove(hashKey(hash));
    }
    for (const block of added) {
      this.#canonical.put(numberKey(block.header.number), hashKey(block.hash));
      for (const [index, { hash }] of block.transactions.entries()) {
        this.#transactions.put(hashKey(hash), concatBytes(hashKey(block.hash), numberKey(index)));
      }
    }
  }

  /** Canonical blocks up to `number` are final; every other block up to there is removed. Inside a write. */
  finalize(number: number): void {
    for (const { key } of [...this.#unfinalized.range({ to: numberKey(number + 1) })]) {
      const block = unfinalizedFromKey(key);
      if (this.canonicalHash(block.number) !== block.hash) {
        this.#blocks.remove(hashKey(block.hash));
        this.#receipts.remove(hashKey(block.hash));
        this.#participants.remove(hashKey(block.hash));
        this.#cache.delete(block.hash);
        this.#receiptsCache.delete(block.hash);
      }
      this.#unfinalized.remove(key);
    }
  }
}

/** Keeps the newest `limit` entries. */
function remember<T>(cache: Map<Hash, T>, hash: Hash, value: T, limit: number): void {
  cache.set(hash, value);
  for (const oldest of cache.keys()) {
    if (cache.size <= limit) break;
    cache.delete(oldest);
  }
}

function unfinalizedFromKey(key: Uint8Array): UnfinalizedBlock {
  assert(key.length === NUMBER_BYTES + HASH_BYTES, "an unfinalized block is listed by number and hash");
  return { number: numberFromKey(key), hash: toHex(key.subarray(NUMBER_BYTES)) };
}
