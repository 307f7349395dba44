/** What the world state was at earlier blocks: old values by key and block. See specs/node/storage.md#history. */
import { compareBytes, concatBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Database, Table } from "./database.ts";
import { atBlock, isDatedKeyOf, NUMBER_BYTES, numberFromKey, numberKey } from "./state-codec.ts";

/** Kept by default: about a day of one-second slots. */
export const DEFAULT_HISTORY_BLOCKS = 90_000;
/** Blocks pruned per merge beyond as many as were merged, so that a shortened window is reached in steps. */
const EXTRA_BLOCKS_PRUNED = 8;

/** Later than every block. */
const LAST_BLOCK = 2 ** (8 * NUMBER_BYTES) - 1;

const STATE_TABLES = ["accounts", "storage", "trie"] as const;
export type StateTable = (typeof STATE_TABLES)[number];

/**
 * For each state table a second one: key ‖ block → the value before that block (empty: there was none).
 *
 * The value at block B is the first entry dated later than B, or the present value when nothing was
 * changed since: one seek. A list of the changed keys by block tells pruning what to remove.
 */
export class History {
  readonly #tables: Readonly<Record<StateTable, Table>>;
  readonly #changes: Table;

  constructor(database: Database) {
    this.#tables = {
      accounts: database.table("account-history"),
      storage: database.table("storage-history"),
      trie: database.table("trie-history"),
    };
    this.#changes = database.table("changes");
  }

  /** The value of `key` right after block `number`; "present" when it has not changed since. */
  valueAt(table: StateTable, key: Uint8Array, number: number): Uint8Array | undefined | "present" {
    for (const entry of this.#tables[table].range({ from: atBlock(key, number + 1), limit: 1 })) {
      if (isDatedKeyOf(entry.key, key)) return entry.value.length === 0 ? undefined : entry.value;
    }
    return "present";
  }

  /** Keys with old values at or after `from`, ascending, each once. One seek a key. */
  *keysFrom(table: StateTable, from: Uint8Array): Iterable<Uint8Array> {
    for (let next = from; ; ) {
      const [entry] = this.#tables[table].range({ from: next, limit: 1 });
      if (entry === undefined) return;
      const key = entry.key.subarray(0, entry.key.length - NUMBER_BYTES);
      // The dated keys of a shorter key than `from` may lie behind it.
      if (compareBytes(key, from) >= 0) yield key;
      next = atBlock(key, LAST_BLOCK);
    }
  }

  /** Collects what a block overwrites; `close` stores the list of keys. Inside a write. */
  recordBlock(number: number): BlockHistory {
    return new BlockHistory(this.#tables, this.#changes, number);
  }

  /**
   * Removes the history of blocks up to `last`, oldest first, of at most `merged` blocks and a few more.
   * Inside a write. Returns the highest block removed.
   */
  prune(last: number, merged: number): number | undefined {
    if (last < 0) return undefined;
    let removed: number | undefined;
    const range = { to: numberKey(last + 1), limit: merged + EXTRA_BLOCKS_PRUNED };
    for (const { key, value } of [...this.#changes.range(range)]) {
      removed = numberFromKey(key);
      for (const change of decodeChanges(value)) {
        this.#tables[change.table].remove(atBlock(change.key, removed));
      }
      this.#changes.remove(key);
    }
    return removed;
  }
}

/** The old values of one block while it is merged. */
export class BlockHistory {
  readonly #tables: Readonly<Record<StateTable, Table>>;
  readonly #changes: Table;
  readonly #number: number;
  readonly #changed: Uint8Array[] = [];

  constructor(tables: Readonly<Record<StateTable, Table>>, changes: Table, number: number) {
    this.#tables = tables;
    this.#changes = changes;
    this.#number = number;
  }

  /** `old` is what `key` held before this block, undefined for nothing. */
  record(table: StateTable, key: Uint8Array, old: Uint8Array | undefined): void {
    this.#tables[table].put(atBlock(key, this.#number), old ?? new Uint8Array(0));
    this.#changed.push(Uint8Array.of(STATE_TABLES.indexOf(table), key.length), key);
  }

  close(): void {
    this.#changes.put(numberKey(this.#number), concatBytes(...this.#changed));
  }
}

/** Each change is: index of the table ‖ length of the key ‖ key. */
function* decodeChanges(
  bytes: Uint8Array,
): Iterable<{ readonly table: StateTable; readonly key: Uint8Array }> {
  for (let offset = 0; offset < bytes.length; ) {
    const table = STATE_TABLES[bytes[offset] ?? STATE_TABLES.length];
    const length = bytes[offset + 1];
    assert(table !== undefined && length !== undefined, "a stored change names its table and length");
    yield { table, key: bytes.subarray(offset + 2, offset + 2 + length) };
    offset += 2 + length;
  }
}
