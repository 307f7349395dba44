/** The pool's executable transactions, best offer first, each sender in nonce order. See specs/node/mempool.md#order. */
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { effectiveTip, type Pool, type PoolEntry } from "./pool.ts";

/** The next transaction one sender offers; those that may follow come after it in `entries`. */
type Offer = {
  readonly entry: PoolEntry;
  readonly tip: bigint;
  readonly entries: readonly PoolEntry[];
  readonly position: number;
};

/**
 * A walk over a pool as it was when the walk began; the pool may change meanwhile.
 *
 * A binary heap of senders by the tip of their next transaction: O(log s) a step in senders.
 */
export class BestTransactions {
  readonly #baseFee: bigint;
  readonly #heap: Offer[] = [];
  #last: Offer | undefined;

  constructor(pool: Pool, baseFee: bigint) {
    this.#baseFee = baseFee;
    for (const { entries, executable } of pool.senders.values()) {
      if (executable > 0) this.#offer(entries.slice(0, executable), 0);
    }
  }

  /** Undefined when nothing is left that pays the base fee. */
  next(): RecoveredTransaction | undefined {
    if (this.#last !== undefined) this.#offer(this.#last.entries, this.#last.position + 1);
    this.#last = this.#pop();
    return this.#last?.entry.recovered;
  }

  /** The last transaction was left out: what its sender offers after it is, too. */
  skipSender(): void {
    this.#last = undefined;
  }

  /** A sender's entries in nonce order; one that cannot pay the base fee holds up those behind it. */
  #offer(entries: readonly PoolEntry[], position: number): void {
    const entry = entries[position];
    if (entry === undefined || entry.feeCap < this.#baseFee) return;
    const offer = { entry, tip: effectiveTip(entry, this.#baseFee), entries, position };
    const heap = this.#heap;
    let index = heap.push(offer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBetter(offer, heap[parent])) break;
      swap(heap, index, parent);
      index = parent;
    }
  }

  #pop(): Offer | undefined {
    const heap = this.#heap;
    const best = heap[0];
    const last = heap.pop();
    if (best === undefined || last === undefined || heap.length === 0) return best;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = isBetter(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!isBetter(heap[child], last)) return best;
      swap(heap, index, child);
      index = child;
    }
  }
}

function isBetter(a: Offer | undefined, b: Offer | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.tip === b.tip ? a.entry.arrival < b.entry.arrival : a.tip > b.tip;
}

function swap(heap: Offer[], i: number, j: number): void {
  const first = heap[i];
  const second = heap[j];
  if (first === undefined || second === undefined) return;
  heap[i] = second;
  heap[j] = first;
}
