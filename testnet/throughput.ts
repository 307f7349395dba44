/** Transactions per second over the last blocks, as one node sees them. */
import { callNode } from "../rpc/client.ts";
import { getTransactionCountByNumber } from "../rpc/methods/blocks.ts";

const WINDOW_SLOTS = 10;
/** After a pause (a laptop that slept) only the newest blocks are counted. */
const MAX_BLOCKS_PER_READING = 20;

export function createThroughputMeter(url: string) {
  let lastNumber: number | undefined;
  let counts: { readonly atMs: number; readonly transactions: number }[] = [];
  return {
    /** Reads the blocks that are new since the last call. 0 while the node does not answer. */
    async measure(headNumber: number | undefined, slotSeconds: number): Promise<number> {
      if (headNumber === undefined) return 0;
      const first = Math.max((lastNumber ?? headNumber) + 1, headNumber - MAX_BLOCKS_PER_READING);
      lastNumber = headNumber;
      for (let number = first; number <= headNumber; number++) {
        const count = await callNode(url, getTransactionCountByNumber, { block: { number } }).catch(() => 0);
        counts.push({ atMs: Date.now(), transactions: count ?? 0 });
      }
      const windowMs = WINDOW_SLOTS * slotSeconds * 1000;
      counts = counts.filter(({ atMs }) => atMs > Date.now() - windowMs);
      return counts.reduce((sum, { transactions }) => sum + transactions, 0) / (WINDOW_SLOTS * slotSeconds);
    },
  };
}
