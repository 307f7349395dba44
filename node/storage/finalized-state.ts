/** The world state of the last finalized block on disk, and of the blocks before it. See specs/node/storage.md. */
import {
  type Address,
  bigIntToMinimalBytes,
  bytesToBigInt,
  compareBytes,
  EMPTY_BYTES,
  equalBytes,
  fromHex,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp } from "../../primitives/rlp.ts";
import type { Account, StateDiff, StateStore } from "../../vm/state/account.ts";
import type { Database, Entry, Table } from "./database.ts";
import { DatabaseError } from "./database-error.ts";
import { type BlockHistory, DEFAULT_HISTORY_BLOCKS, History, type StateTable } from "./history.ts";
import {
  accountKey,
  decodeAccount,
  encodeAccount,
  hashKey,
  numberFromKey,
  numberKey,
  slotKey,
  trieNodeKey,
} from "./state-codec.ts";

/** The block whose state the disk holds. */
export type FinalizedBlock = { readonly number: number; readonly hash: Hash; readonly stateRoot: Hash };

/** What a block changed, on its way to disk. */
export type FinalizedLayer = { readonly number: number; readonly hash: Hash; readonly diff: StateDiff };

export type FinalizedStateOptions = {
  /** Blocks below the finalized one whose state stays readable; Infinity for an archive. */
  readonly historyBlocks?: number;
};

const FINALIZED = utf8ToBytes("finalized");
const OLDEST = utf8ToBytes("oldest");

/** Reads answer from the finalized block; `at` answers from an older one. */
export class FinalizedState implements StateStore {
  readonly #database: Database;
  readonly #tables: Readonly<Record<StateTable, Table>>;
  readonly #codes: Table;
  readonly #records: Table;
  readonly #history: History;
  readonly #historyBlocks: number;

  constructor(database: Database, { historyBlocks = DEFAULT_HISTORY_BLOCKS }: FinalizedStateOptions = {}) {
    this.#database = database;
    this.#tables = {
      accounts: database.table("accounts"),
      storage: database.table("storage"),
      trie: database.table("trie"),
    };
    this.#codes = database.table("codes");
    this.#records = database.table("state-records");
    this.#history = new History(database);
    this.#historyBlocks = historyBlocks;
  }

  account(address: Address): Account | undefined {
    return asAccount(this.#tables.accounts.get(accountKey(address)));
  }

  storage(address: Address, slot: Hash): bigint {
    return asWord(this.#tables.storage.get(slotKey(address, slot)));
  }

  code(codeHash: Hash): Uint8Array | undefined {
    return this.#codes.get(hashKey(codeHash));
  }

  trieNode(owner: Hash | undefined, path: string): Uint8Array | undefined {
    return this.#tables.trie.get(trieNodeKey(owner, path));
  }

  /** Undefined until the genesis state was merged. */
  finalized(): FinalizedBlock | undefined {
    const record = this.#records.get(FINALIZED);
    return record === undefined ? undefined : decodeFinalizedBlock(record);
  }

  /** Number of the oldest block whose state can still be read. */
  oldest(): number {
    const record = this.#records.get(OLDEST);
    return record === undefined ? 0 : numberFromKey(record);
  }

  /**
   * The state right after block `number`. It goes on answering for that block while later blocks are
   * merged, also by another thread, as long as the block is within the window. One seek more a read.
   *
   * @throws DatabaseError STATE_PRUNED when the block is older than the window.
   */
  at(number: number): StateStore {
    const read = this.#readerAt(number);
    return {
      account: (address) => asAccount(read("accounts", accountKey(address))),
      storage: (address, slot) => asWord(read("storage", slotKey(address, slot))),
      code: (codeHash) => this.code(codeHash),
      trieNode: (owner, path) => read("trie", trieNodeKey(owner, path)),
    };
  }

  /**
   * Stored accounts or slots of the state after block `number`, by ascending key from `from` on, as the tables hold
   * them: for who copies the state. Removed since or not, a key is there if it was there then.
   *
   * @throws DatabaseError STATE_PRUNED
   */
  *entriesAt(number: number, table: "accounts" | "storage", from: Uint8Array): Iterable<Entry> {
    const read = this.#readerAt(number);
    const present = this.#tables[table].range({ from })[Symbol.iterator]();
    const dated = this.#history.keysFrom(table, from)[Symbol.iterator]();
    let now = present.next();
    let then = dated.next();
    while (now.done !== true || then.done !== true) {
      const order = now.done ? 1 : then.done ? -1 : compareBytes(now.value.key, then.value);
      const key = order <= 0 ? now.value.key : then.value;
      if (order <= 0) now = present.next();
      if (order >= 0) then = dated.next();
      const value = read(table, key);
      if (value !== undefined) yield { key, value };
    }
  }

  #readerAt(number: number): (table: StateTable, key: Uint8Array) => Uint8Array | undefined {
    const oldest = this.oldest();
    if (number < oldest) throw new DatabaseError({ code: "STATE_PRUNED", number, oldest });
    return (table, key) => {
      // The present first: if another thread merges between the two reads, the second one finds the old value.
      const present = this.#tables[table].get(key);
      const value = this.#history.valueAt(table, key, number);
      return value === "present" ? present : value;
    };
  }

  /**
   * Makes the last of `layers` the state on disk: one atomic write, old values kept as history.
   * The first merge ever is the state the database begins with, of genesis or of a checkpoint; it leaves no history.
   *
   * @param layers oldest first; the first is the child of the finalized block.
   */
  merge(layers: readonly FinalizedLayer[]): void {
    this.#database.write(() => {
      for (const layer of layers) this.#mergeLayer(layer);
      const last = layers.at(-1);
      if (last === undefined) return;
      const pruned = this.#history.prune(last.number - this.#historyBlocks, layers.length);
      if (pruned !== undefined) this.#records.put(OLDEST, numberKey(pruned));
    });
  }

  /**
   * Removes history beyond the window now, at most `limitBlocks` blocks of it, in one write. False when nothing
   * is left to remove.
   */
  pruneHistory(limitBlocks: number): boolean {
    const last = (this.finalized()?.number ?? 0) - this.#historyBlocks;
    return this.#database.write(() => {
      const pruned = this.#history.prune(last, limitBlocks);
      if (pruned !== undefined) this.#records.put(OLDEST, numberKey(pruned));
      return pruned !== undefined;
    });
  }

  #mergeLayer({ number, hash, diff }: FinalizedLayer): void {
    const finalized = this.finalized();
    assert(finalized === undefined || number === finalized.number + 1, "layers are merged in order");
    const history = finalized === undefined ? undefined : this.#history.recordBlock(number);

    for (const [address, account] of diff.accounts) {
      this.#set("accounts", accountKey(address), account === null ? null : encodeAccount(account), history);
    }
    for (const [address, slots] of diff.storage) {
      for (const [slot, value] of slots) {
        const word = value === 0n ? null : bigIntToMinimalBytes(value);
        this.#set("storage", slotKey(address, slot), word, history);
      }
    }
    for (const [owner, nodes] of diff.trieNodes) {
      for (const [path, node] of nodes) {
        this.#set("trie", trieNodeKey(owner === "" ? undefined : owner, path), node, history);
      }
    }
    for (const [codeHash, code] of diff.codes) this.#codes.put(hashKey(codeHash), code);

    history?.close();
    if (finalized === undefined) this.#records.put(OLDEST, numberKey(number));
    this.#records.put(FINALIZED, encodeFinalizedBlock({ number, hash, stateRoot: diff.stateRoot }));
  }

  /** `null` removes. A value that stays the same leaves no trace. */
  #set(name: StateTable, key: Uint8Array, value: Uint8Array | null, history: BlockHistory | undefined): void {
    const table = this.#tables[name];
    const old = table.get(key);
    if (equalBytes(old ?? EMPTY_BYTES, value ?? EMPTY_BYTES)) return;
    history?.record(name, key, old);
    if (value === null) table.remove(key);
    else table.put(key, value);
  }
}

function asAccount(value: Uint8Array | undefined): Account | undefined {
  return value === undefined ? undefined : decodeAccount(value);
}

function asWord(value: Uint8Array | undefined): bigint {
  return value === undefined ? 0n : bytesToBigInt(value);
}

function encodeFinalizedBlock({ number, hash, stateRoot }: FinalizedBlock): Uint8Array {
  return encodeRlp([numberKey(number), fromHex(hash), fromHex(stateRoot)]);
}

function decodeFinalizedBlock(record: Uint8Array): FinalizedBlock {
  const [number, hash, stateRoot] = decodeRlp(record) as readonly Uint8Array[];
  assert(
    number !== undefined && hash !== undefined && stateRoot !== undefined,
    "a finalized record is whole",
  );
  return { number: numberFromKey(number), hash: toHex(hash), stateRoot: toHex(stateRoot) };
}
