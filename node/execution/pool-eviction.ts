/** Making room in a full pool: the worst offers go first. See specs/node/mempool.md#eviction. */
import { effectiveTip, type Pool, type PoolEntry, removeEntry } from "./pool.ts";

/** Part of the pool that one pass frees at most, so that a pass is rare. */
const PASS_FRACTION = 32;

/**
 * Removes entries that offer less than `tip` at this base fee, the worst first: last nonces only, so
 * that no sender is left with a gap, and queued ones before executable ones. The newcomer's own sender
 * is spared: losing an earlier nonce would leave the newcomer behind a gap.
 *
 * Cost: O(n log n) in senders, once per `size / 32` evictions.
 * @param neededBytes how much must be freed at least, when bytes are what is short.
 * @returns what was removed; nothing when no entry is worse than the newcomer.
 */
export function evictWorse(
  pool: Pool,
  baseFee: bigint,
  newcomer: PoolEntry,
  neededBytes: number,
): readonly PoolEntry[] {
  const tip = effectiveTip(newcomer, baseFee);
  const offers: { readonly entry: PoolEntry; readonly tip: bigint; readonly isQueued: boolean }[] = [];
  for (const queue of pool.senders.values()) {
    const entry = queue.entries.at(-1);
    if (entry === undefined || queue.sender === newcomer.recovered.sender) continue;
    const offered = effectiveTip(entry, baseFee);
    const isQueued = queue.executable < queue.entries.length;
    if (isQueued || offered < tip) offers.push({ entry, tip: offered, isQueued });
  }
  offers.sort((a, b) => {
    if (a.isQueued !== b.isQueued) return a.isQueued ? -1 : 1;
    if (a.tip !== b.tip) return a.tip < b.tip ? -1 : 1;
    return b.entry.arrival - a.entry.arrival;
  });

  const evicted: PoolEntry[] = [];
  const limit = Math.max(1, Math.floor(pool.byHash.size / PASS_FRACTION));
  let freedBytes = 0;
  for (const { entry } of offers) {
    if (evicted.length >= limit && freedBytes >= neededBytes) break;
    removeEntry(pool, entry);
    freedBytes += entry.recovered.raw.length;
    evicted.push(entry);
  }
  return evicted;
}
