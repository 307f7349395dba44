/** Looks at an LMDB file before LMDB maps it, because a damaged one kills the process. See specs/node/storage.md#damage. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseError } from "./database-error.ts";

const FILE = "data.mdb";
const MAGIC = 0xbeefc0de;
const VERSION = 2;
/** Layout of a meta page (lmdb's mdb.c, MDB_page and MDB_meta), as offsets from its start. */
const META_BYTES = 176;
const AT = { magic: 24, version: 28, pageSize: 48, freeRoot: 88, mainRoot: 136, transaction: 152 } as const;
/** A tree without pages. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
const MAX_PAGE_BYTES = 65_536;

type Meta = { readonly pageBytes: number; readonly roots: readonly bigint[]; readonly transaction: bigint };

/**
 * A file that is missing or empty is a new one. Otherwise its first page must be a meta page, and the roots of the newest
 * one must lie within the file: memory beyond a file's end cannot be read, and asking for it is fatal.
 *
 * @throws DatabaseError DATABASE_DAMAGED
 */
export function checkDatabaseFile(directory: string): void {
  const path = join(directory, FILE);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  const damaged = (reason: string) => new DatabaseError({ code: "DATABASE_DAMAGED", directory, reason });
  const file = openSync(path, "r");
  try {
    const first = readMeta(file, 0);
    if (first === undefined) throw damaged(`${FILE} does not begin as a database`);
    // The second half of the first page holds the last flushed state.
    const others = [first.pageBytes / 2, first.pageBytes].map((at) => readMeta(file, at));
    const metas = [first, ...others.filter((meta) => meta !== undefined)];
    const newest = metas.reduce((a, b) => (b.transaction > a.transaction ? b : a));
    const missing = newest.roots.some(
      (page) => page !== NO_PAGE && (page + 1n) * BigInt(first.pageBytes) > BigInt(size),
    );
    if (missing) throw damaged(`${FILE} was cut off at ${size} bytes`);
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number): Meta | undefined {
  const page = Buffer.alloc(META_BYTES);
  if (readSync(file, page, 0, META_BYTES, position) !== META_BYTES) return undefined;
  if (page.readUInt32LE(AT.magic) !== MAGIC || page.readUInt16LE(AT.version) !== VERSION) return undefined;
  const pageBytes = page.readUInt32LE(AT.pageSize);
  if (pageBytes < META_BYTES * 2 || pageBytes > MAX_PAGE_BYTES) return undefined;
  const roots = [page.readBigUInt64LE(AT.freeRoot), page.readBigUInt64LE(AT.mainRoot)];
  return { pageBytes, roots, transaction: page.readBigUInt64LE(AT.transaction) };
}
