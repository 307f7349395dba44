/** Evaluated contracts as files, one for each code hash: a cache that may be lost at any time. See specs/node/storage.md#contract-snapshots. */
import {
  closeSync,
  fstatSync,
  futimesSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import type { Hash } from "../../primitives/bytes.ts";
import { type SnapshotStore, STORED_HEAD_BYTES } from "../../vm/contract/stored-contract.ts";
import { makeFolder } from "../make-folder.ts";

/** Bytes of all files; those not used for longest are removed. A small contract takes 45 KB. */
export const SNAPSHOT_FILES_LIMIT_BYTES = 8 * 1024 ** 3;
/** What is left of them after a removal, so that it does not happen at every write. */
const KEPT_SHARE = 0.9;
/** Bytes of the largest file: the largest snapshot and its declarations. */
const FILE_LIMIT_BYTES = 8 * 1024 * 1024;
/** A file's time of use is written at most so often. */
const TOUCH_INTERVAL_MS = 60_000;

export type SnapshotFilesOptions = {
  readonly directory: string;
  readonly limitBytes?: number;
  /** Only one thread writes: call workers run what anybody sends them. */
  readonly isReadOnly?: boolean;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The disk failed to keep something, which costs only time. */
  readonly onFault?: (error: unknown) => void;
};

export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  #bytes = 0;
  /** Every file is read into it: room that is new for each costs more time than reading. */
  #buffer = new Uint8Array(256 * 1024);

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
    if (options.isReadOnly === true) return;
    this.#guarded(() => {
      makeFolder(options.directory);
      this.#removeOldest();
    });
  }

  /** What was put, or damaged, until the next is read; undefined when there is nothing, or what is there is not wanted. */
  get(codeHash: Hash, isWanted: (head: Uint8Array) => boolean): Uint8Array | undefined {
    let file: number | undefined;
    try {
      file = openSync(this.#pathOf(codeHash), this.#options.isReadOnly === true ? "r" : "r+");
      const stats = fstatSync(file);
      if (stats.size > FILE_LIMIT_BYTES) return undefined;
      if (this.#buffer.length < stats.size) this.#buffer = new Uint8Array(2 * stats.size);
      const bytes = this.#buffer.subarray(0, stats.size);
      const head = readSync(file, bytes, 0, Math.min(STORED_HEAD_BYTES, stats.size), 0);
      if (!isWanted(bytes.subarray(0, head))) return undefined;
      if (stats.size > head) readSync(file, bytes, head, stats.size - head, head);
      if (this.#options.isReadOnly !== true) this.#touch(file, stats);
      return bytes;
    } catch {
      return undefined;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  put(codeHash: Hash, contract: Uint8Array): void {
    if (this.#options.isReadOnly === true) return;
    this.#guarded(() => {
      const path = this.#pathOf(codeHash);
      // A crash leaves a whole file or none; what it may leave besides is removed as the oldest some day.
      const temporary = `${path}.${threadId}.new`;
      writeFileSync(temporary, contract);
      renameSync(temporary, path);
      this.#bytes += contract.length;
      if (this.#bytes > this.#limitBytes) this.#removeOldest();
    });
  }

  get #limitBytes(): number {
    return this.#options.limitBytes ?? SNAPSHOT_FILES_LIMIT_BYTES;
  }

  #pathOf(codeHash: Hash): string {
    return join(this.#options.directory, codeHash.slice(2));
  }

  #touch(file: number, { mtimeMs }: Stats): void {
    const now = this.#options.nowMs();
    if (now - mtimeMs > TOUCH_INTERVAL_MS) futimesSync(file, now / 1000, now / 1000);
  }

  /** Counts what there is, and removes the least recently used of it if it is too much. */
  #removeOldest(): void {
    const { directory } = this.#options;
    const files = readdirSync(directory).map((name) => {
      const path = join(directory, name);
      const { size, mtimeMs } = statSync(path);
      return { path, size, mtimeMs };
    });
    this.#bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (this.#bytes <= this.#limitBytes) return;
    for (const { path, size } of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (this.#bytes <= KEPT_SHARE * this.#limitBytes) return;
      rmSync(path, { force: true });
      this.#bytes -= size;
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onFault?.(error);
    }
  }
}
