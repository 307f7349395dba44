/** Transactions that must outlive a restart, on disk by hash. See specs/node/mempool.md#journal. */
import { fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { Database, Table } from "../storage/database.ts";

/** Where the pool notes what our own users sent until it is mined or dropped. */
export interface TransactionJournal {
  put(transaction: RecoveredTransaction): void;
  delete(hash: Hash): void;
}

/**
 * The journal in LMDB. Changes are gathered while a commit is under way and follow in the next one, so that a burst
 * costs a few commits; whoever answers a user waits for theirs (`stored`).
 */
export class StoredTransactionJournal implements TransactionJournal {
  readonly #database: Database;
  readonly #table: Table;
  readonly #noted = new Set<Hash>();
  /** Encodings to write, undefined to remove. */
  #changes = new Map<Hash, Uint8Array | undefined>();
  #committing: Promise<void> | undefined;
  /** Of the changes that are gathered, and of those in the commit under way. */
  #gathered = Promise.withResolvers<void>();
  #underWay: Promise<void> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
    this.#table = database.table("local-transactions");
  }

  put({ hash, raw }: RecoveredTransaction): void {
    this.#noted.add(hash);
    this.#change(hash, raw);
  }

  /** Most of what leaves the pool came by gossip and was never noted: that costs nothing. */
  delete(hash: Hash): void {
    if (this.#noted.delete(hash)) this.#change(hash, undefined);
  }

  /** Encodings of all noted transactions, in any order. Called once, at start. */
  load(): readonly Uint8Array[] {
    return Array.from(this.#table.range({}), ({ key, value }) => {
      this.#noted.add(toHex(key));
      return value.slice();
    });
  }

  /** Resolves when what was noted before this call would survive the end of the process. Rejects when the disk refused. */
  stored(): Promise<void> {
    return this.#changes.size > 0 ? this.#gathered.promise : this.#underWay;
  }

  /** Resolves when nothing is left to store, also of what is noted meanwhile. Rejects when the disk refused it. */
  async settled(): Promise<void> {
    while (this.#committing !== undefined) await this.#committing;
  }

  #change(hash: Hash, raw: Uint8Array | undefined): void {
    this.#changes.set(hash, raw);
    this.#committing ??= this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    try {
      // Lets the changes of the current task gather first.
      await Promise.resolve();
      while (this.#changes.size > 0) {
        const changes = this.#changes;
        const { promise, resolve, reject } = this.#gathered;
        // Whoever waits hears of it; when nobody does, the throw below is enough.
        promise.catch(() => undefined);
        this.#changes = new Map();
        this.#gathered = Promise.withResolvers<void>();
        this.#underWay = promise;
        try {
          await this.#database.commit(() => this.#write(changes));
          resolve();
        } catch (error) {
          reject(error);
          throw error;
        }
      }
    } finally {
      this.#committing = undefined;
    }
  }

  #write(changes: ReadonlyMap<Hash, Uint8Array | undefined>): void {
    for (const [hash, raw] of changes) {
      if (raw === undefined) this.#table.remove(fromHex(hash));
      else this.#table.put(fromHex(hash), raw);
    }
  }
}
