/** One LMDB environment: byte tables, atomic writes, and proof that it is the right directory. See specs/node/storage.md. */
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { type Database as LmdbTable, open, type RootDatabase } from "lmdb";
import { bytesToUtf8, type Hash, utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { DatabaseError, type DatabaseErrorDetail, type DatabaseRole } from "./database-error.ts";
import { checkDatabaseFile } from "./database-file.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";

/** Raised whenever the meaning of a key or a value changes. */
const SCHEMA_VERSION = 1;
/** Named tables an environment may hold; LMDB wants to know at opening. */
const TABLE_LIMIT = 32;
const BINARY = { encoding: "binary", keyEncoding: "binary" } as const;

export type DatabaseOptions = {
  readonly directory: string;
  readonly role: DatabaseRole;
  /** Identity of the chain: the hash (or root) of its genesis block. */
  readonly chain: Hash;
  /** A second opener inside the process of the writer: takes no lock and cannot write. */
  readonly readOnly?: boolean;
};

export type Entry = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Keys from `from` (included) to `to` (excluded); with `reverse`, downwards from `to` (excluded). */
export type KeyRange = {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
};

/** Bytes by bytes, in lexicographic order of the key. Keys have 1 to 1978 bytes. */
export interface Table {
  get(key: Uint8Array): Uint8Array | undefined;
  /** Only inside `write` or `commit`. */
  put(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): void;
  range(range: KeyRange): Iterable<Entry>;
}

/**
 * Opens a directory, creating it on first use, and takes its lock unless `readOnly`.
 *
 * @throws DatabaseError DATABASE_LOCKED, DATABASE_WRONG_ROLE, DATABASE_WRONG_SCHEMA,
 *   DATABASE_WRONG_CHAIN, DATABASE_DAMAGED, DATABASE_NOT_WRITABLE; DATABASE_MISSING when `readOnly` and there is nothing.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { directory, readOnly = false } = options;
  if (readOnly && !existsSync(join(directory, "data.mdb"))) {
    throw new DatabaseError({ code: "DATABASE_MISSING", directory });
  }
  try {
    const lock = readOnly ? undefined : await lockDirectory(directory);
    try {
      checkDatabaseFile(directory);
      return await openEnvironment(options, lock);
    } catch (error) {
      await lock?.release();
      throw error;
    }
  } catch (cause) {
    throw cause instanceof DatabaseError ? cause : new DatabaseError(worldOf(directory, cause), { cause });
  }
}

async function openEnvironment(options: DatabaseOptions, lock: DirectoryLock | undefined): Promise<Database> {
  const { directory, readOnly = false } = options;
  const root = open<Uint8Array, Uint8Array>({
    path: directory,
    readOnly,
    maxDbs: TABLE_LIMIT,
    noSubdir: false,
    ...BINARY,
  });
  const database = new LmdbDatabase(root, lock);
  try {
    checkIdentity(database, options);
  } catch (error) {
    await root.close();
    throw error;
  }
  return database;
}

/** What a failure of the file system or of LMDB means to an operator. */
function worldOf(directory: string, cause: unknown): DatabaseErrorDetail {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const isAccess = ACCESS_CODES.some((name) => code === name || code === constants.errno[name]);
  return { code: isAccess ? "DATABASE_NOT_WRITABLE" : "DATABASE_DAMAGED", directory, reason };
}

/** Node names them, LMDB gives their numbers. */
const ACCESS_CODES = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOSPC"] as const;

function checkIdentity(database: Database, { directory, role, chain, readOnly }: DatabaseOptions): void {
  const identity = database.table("identity");
  const read = (name: string) => {
    const value = identity.get(utf8ToBytes(name));
    return value === undefined ? undefined : bytesToUtf8(value);
  };
  const actual = { schema: read("schema"), role: read("role"), chain: read("chain") };
  if (actual.schema === undefined || actual.role === undefined || actual.chain === undefined) {
    if (readOnly === true) throw new DatabaseError({ code: "DATABASE_MISSING", directory });
    database.write(() => {
      identity.put(utf8ToBytes("schema"), utf8ToBytes(String(SCHEMA_VERSION)));
      identity.put(utf8ToBytes("role"), utf8ToBytes(role));
      identity.put(utf8ToBytes("chain"), utf8ToBytes(chain));
    });
    return;
  }
  if (Number(actual.schema) !== SCHEMA_VERSION) {
    const versions = { expected: SCHEMA_VERSION, actual: Number(actual.schema) };
    throw new DatabaseError({ code: "DATABASE_WRONG_SCHEMA", directory, ...versions });
  }
  if (actual.role !== role) {
    throw new DatabaseError({ code: "DATABASE_WRONG_ROLE", directory, expected: role, actual: actual.role });
  }
  if (actual.chain !== chain) {
    throw new DatabaseError({
      code: "DATABASE_WRONG_CHAIN",
      directory,
      expected: chain,
      actual: actual.chain,
    });
  }
}

/** An open environment. One thread writes; others open it `readOnly`. */
export interface Database {
  table(name: string): Table;
  /**
   * Runs `action`; what it wrote is visible and on disk when this returns, all of it or, when it
   * throws, nothing. A write inside a write joins it. Blocks the thread for one disk flush.
   */
  write<T>(action: () => T): T;
  /**
   * As `write`, off this thread: when it resolves, the changes are visible and survive a killed
   * process. They survive a power cut once `flushed` resolved as well. Commits apply in call order.
   */
  commit<T>(action: () => T): Promise<T>;
  /** Resolves when everything committed so far is on disk. */
  flushed(): Promise<void>;
  /** Writes a copy into a folder that exists: what is committed, without the pages that are free. */
  copyTo(directory: string): Promise<void>;
  /** Makes commits of other threads visible. A reading thread calls it before each task. */
  refresh(): void;
  close(): Promise<void>;
}

class LmdbDatabase implements Database {
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #lock: DirectoryLock | undefined;
  readonly #tables = new Map<string, Table>();
  #isWriting = false;

  constructor(root: RootDatabase<Uint8Array, Uint8Array>, lock: DirectoryLock | undefined) {
    this.#root = root;
    this.#lock = lock;
  }

  table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      const lmdb: LmdbTable<Uint8Array, Uint8Array> | undefined = this.#root.openDB(name, BINARY);
      // A reader meets a table its writer has not made yet only if it was opened before the writer's stores.
      assert(lmdb !== undefined, `table ${name} exists`);
      table = new LmdbByteTable(lmdb, () => this.#isWriting);
      this.#tables.set(name, table);
    }
    return table;
  }

  write<T>(action: () => T): T {
    if (this.#isWriting) return action();
    return this.#root.transactionSync(() => this.#writing(action));
  }

  async commit<T>(action: () => T): Promise<T> {
    // A child transaction is the one kind of queued transaction that undoes what a throwing action wrote.
    return this.#root.childTransaction(() => this.#writing(action));
  }

  async flushed(): Promise<void> {
    await this.#root.flushed;
  }

  async copyTo(directory: string): Promise<void> {
    await this.#root.backup(directory, true);
  }

  refresh(): void {
    this.#root.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#root.close();
    await this.#lock?.release();
  }

  #writing<T>(action: () => T): T {
    this.#isWriting = true;
    try {
      return action();
    } finally {
      this.#isWriting = false;
    }
  }
}

class LmdbByteTable implements Table {
  readonly #lmdb: LmdbTable<Uint8Array, Uint8Array>;
  readonly #isWriting: () => boolean;

  constructor(lmdb: LmdbTable<Uint8Array, Uint8Array>, isWriting: () => boolean) {
    this.#lmdb = lmdb;
    this.#isWriting = isWriting;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#lmdb.get(key);
    return value === undefined ? undefined : plain(value);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    assert(this.#isWriting(), "tables change inside a write");
    this.#lmdb.putSync(key, value);
  }

  remove(key: Uint8Array): void {
    assert(this.#isWriting(), "tables change inside a write");
    this.#lmdb.removeSync(key);
  }

  *range({ from, to, reverse = false, limit }: KeyRange): Iterable<Entry> {
    const bounds = reverse
      ? { ...(to && { start: to, exclusiveStart: true }), ...(from && { end: from, inclusiveEnd: true }) }
      : { ...(from && { start: from }), ...(to && { end: to }) };
    const entries = this.#lmdb.getRange({ ...bounds, reverse, ...(limit !== undefined && { limit }) });
    for (const { key, value } of entries) yield { key: plain(key), value: plain(value) };
  }
}

/** A Buffer is a Uint8Array whose `slice` shares memory; nothing above this file should meet one. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
