/** Evaluated contracts as files, one for each code hash: a cache that may be lost at any time. See specs/node/storage.md#contract-snapshots. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Hash } from "../../primitives/bytes.ts";
import type { SnapshotStore } from "../../vm/contract/stored-contract.ts";

/** Bytes of all files; those not used for longest are removed. A small contract takes 15 KB. */
export const SNAPSHOT_FILES_LIMIT_BYTES = 512 * 1024 * 1024;
/** What is left of them after a removal, so that it does not happen at every write. */
const KEPT_SHARE = 0.9;
/** Bytes a file may inflate to: the largest snapshot and its declarations. */
const CONTENT_LIMIT_BYTES = 8 * 1024 * 1024;
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

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
    if (options.isReadOnly === true) return;
    this.#guarded(() => {
      mkdirSync(options.directory, { recursive: true });
      this.#removeOldest();
    });
  }

  /** What was put, or damaged; undefined when there is nothing that inflates. */
  get(codeHash: Hash): Uint8Array | undefined {
    const path = this.#pathOf(codeHash);
    try {
      const packed = readFileSync(path);
      if (this.#options.isReadOnly !== true) this.#touch(path);
      return inflateRawSync(packed, { maxOutputLength: CONTENT_LIMIT_BYTES });
    } catch {
      return undefined;
    }
  }

  put(codeHash: Hash, contract: Uint8Array): void {
    if (this.#options.isReadOnly === true) return;
    this.#guarded(() => {
      const packed = deflateRawSync(contract, { level: 1 });
      const path = this.#pathOf(codeHash);
      // A crash leaves a whole file or none; what it may leave besides is removed as the oldest some day.
      const temporary = `${path}.${threadId}.new`;
      writeFileSync(temporary, packed);
      renameSync(temporary, path);
      this.#bytes += packed.length;
      if (this.#bytes > this.#limitBytes) this.#removeOldest();
    });
  }

  get #limitBytes(): number {
    return this.#options.limitBytes ?? SNAPSHOT_FILES_LIMIT_BYTES;
  }

  #pathOf(codeHash: Hash): string {
    return join(this.#options.directory, codeHash.slice(2));
  }

  #touch(path: string): void {
    const now = this.#options.nowMs();
    if (now - statSync(path).mtimeMs > TOUCH_INTERVAL_MS) utimesSync(path, now / 1000, now / 1000);
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
