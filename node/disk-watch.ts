/** Stops proposing when the disk of the data folder gets short, and the node before it is full. See specs/node/storage.md#a-full-disk. */
import type { Logger } from "./log.ts";
import { FULL_DISK_BYTES } from "./storage/disk-room.ts";

export type DiskWatchOptions = {
  /** Bytes below which this node makes no blocks. */
  readonly minimumBytes: number;
  readonly freeBytes: () => number;
  /** Called when the disk is as good as full: the node must stop while it still can in order. */
  readonly onFull: (freeBytes: number) => void;
  readonly log: Pick<Logger, "warn" | "info">;
};

/** So that a disk at the limit does not make the node start and stop with every block. */
const RECOVERY_MARGIN = 0.1;

/** Looks at the disk whenever it is asked; says once when room became short, and once when there is enough again. */
export function createDiskWatch({ minimumBytes, freeBytes, onFull, log }: DiskWatchOptions) {
  let wasShort = false;
  return {
    isShort(): boolean {
      const free = freeBytes();
      if (free < FULL_DISK_BYTES) onFull(free);
      const isShort = free < minimumBytes + (wasShort ? minimumBytes * RECOVERY_MARGIN : 0);
      if (isShort && !wasShort) {
        log.warn(
          { freeBytes: free, minimumBytes },
          "the disk is nearly full: no blocks of ours until there is room",
        );
      }
      if (!isShort && wasShort) log.info({ freeBytes: free }, "there is room on the disk again");
      wasShort = isShort;
      return isShort;
    },
  };
}

export type DiskWatch = ReturnType<typeof createDiskWatch>;
