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
import { FULL_DISK_BYTES, freeBytesOf } from "./disk-room.ts";

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
      if (!readOnly) checkRoom(directory);
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
  const database = new LmdbDatabase(directory, root, lock);
  try {
    checkIdentity(database, options);
  } catch (error) {
    await root.close();
    throw error;
  }
  return database;
}

/** LMDB maps its lock file: on a full disk the first touch of it would kill the process without a word. */
function checkRoom(directory: string): void {
  const freeBytes = freeBytesOf(directory);
  if (freeBytes >= FULL_DISK_BYTES) return;
  throw new DatabaseError({ code: "DATABASE_NO_ROOM", directory, freeBytes, neededBytes: FULL_DISK_BYTES });
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
   * @throws DatabaseError DATABASE_WRITE_FAILED, as `commit` rejects.
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
  readonly #directory: string;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #lock: DirectoryLock | undefined;
  readonly #tables = new Map<string, Table>();
  #isWriting = false;

  constructor(
    directory: string,
    root: RootDatabase<Uint8Array, Uint8Array>,
    lock: DirectoryLock | undefined,
  ) {
    this.#directory = directory;
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
    try {
      return this.#root.transactionSync(() => this.#writing(action));
    } catch (error) {
      throw isRefusal(error) ? this.#refused(error, error) : error;
    }
  }

  async commit<T>(action: () => T): Promise<T> {
    // A child transaction is the one kind of queued transaction that undoes what a throwing action wrote.
    try {
      return await this.#root.childTransaction(() => this.#writing(action));
    } catch (error) {
      // LMDB tells why a commit failed in a second promise.
      const { commitError } = error as { readonly commitError?: Promise<unknown> };
      if (commitError === undefined) throw error;
      throw this.#refused(await commitError.catch((why: unknown) => why), error);
    }
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

  #refused(reason: unknown, cause: unknown): DatabaseError {
    const text = reason instanceof Error ? reason.message : String(reason);
    const detail = { code: "DATABASE_WRITE_FAILED", directory: this.#directory, reason: text } as const;
    return new DatabaseError(detail, { cause });
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

/** LMDB's own errors carry a number; what an action throws does not. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "number";
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
