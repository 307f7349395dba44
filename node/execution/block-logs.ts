/** Logs of blocks and their JSON, kept for the blocks that are searched again: mostly the last ones. See specs/node/log-index.md#searching. */
import type { Hash } from "../../primitives/bytes.ts";
import type { LocatedLog } from "../../rpc/chain-view.ts";
import { encodeLog, locateLogs } from "../../rpc/encode-log.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";

export type BlockLog = {
  readonly log: LocatedLog;
  /** Written once, when it is first asked for. */
  json(): string;
};

/** Logs of all blocks kept, counted in bytes of what they take. */
const LIMIT_BYTES = 4 * 1024 * 1024;
/** Of a block that has none. */
const BLOCK_BYTES = 256;
/** Of a log without data and its JSON, about. */
const LOG_BYTES = 2048;

type Kept = { readonly logs: readonly BlockLog[]; readonly bytes: number };

/** A block's logs never change. */
export class BlockLogs {
  readonly #kept = new Map<Hash, Kept>();
  #bytes = 0;

  of(block: Block, receipts: () => readonly ExecutedReceipt[]): readonly BlockLog[] {
    const known = this.#kept.get(block.hash);
    if (known !== undefined) return known.logs;
    const logs = locateLogs(block, receipts()).map(toBlockLog);
    // Bytes of data are kept once as they are, and as two characters.
    const bytes = logs.reduce((sum, { log }) => sum + LOG_BYTES + 3 * log.data.length, BLOCK_BYTES);
    this.#kept.set(block.hash, { logs, bytes });
    this.#bytes += bytes;
    for (const [hash, oldest] of this.#kept) {
      if (this.#bytes <= LIMIT_BYTES) break;
      this.#kept.delete(hash);
      this.#bytes -= oldest.bytes;
    }
    return logs;
  }
}

function toBlockLog(log: LocatedLog): BlockLog {
  let text: string | undefined;
  return {
    log,
    json() {
      text ??= JSON.stringify(encodeLog(log));
      return text;
    },
  };
}
