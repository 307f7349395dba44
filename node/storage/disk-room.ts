/** How much room a disk has. See specs/node/storage.md#a-full-disk. */
import { statfsSync } from "node:fs";

/**
 * A disk with less room than this counts as full, and nothing is written to it any more: LMDB does not survive a write
 * that its disk refuses (its file does). Several times what a node writes in a slot.
 */
export const FULL_DISK_BYTES = 2 ** 24;

/** Bytes this process may still write below `directory`. */
export function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
