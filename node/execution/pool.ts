/** The pool's data: entries by hash, and per sender in nonce order. See specs/node/mempool.md#pending-and-queued. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { feeCap, maximumCost, tipCap } from "../../vm/transaction-rules.ts";

/** A waiting transaction, with what is compared often computed once. */
export type PoolEntry = {
  readonly recovered: RecoveredTransaction;
  readonly nonce: bigint;
  /** Wei per gas, at most. */
  readonly feeCap: bigint;
  /** Wei per gas for the fee recipient, at most. */
  readonly tipCap: bigint;
  /** Wei the sender must have for it. */
  readonly cost: bigint;
  /** Counts arrivals: of equal offers the earlier is taken. */
  readonly arrival: number;
  /** Number of the head block when it came. */
  readonly headNumber: number;
};

/**
 * What one sender has waiting, in nonce order. The first `executable` entries follow the account's
 * nonce without a gap; the rest is queued behind a gap.
 */
export type SenderQueue = {
  readonly sender: Address;
  readonly entries: PoolEntry[];
  accountNonce: bigint;
  executable: number;
  /** Wei for all entries together. */
  cost: bigint;
};

export type Pool = {
  readonly byHash: Map<Hash, PoolEntry>;
  readonly senders: Map<Address, SenderQueue>;
  executable: number;
  bytes: number;
  arrivals: number;
};

export function createPool(): Pool {
  return { byHash: new Map(), senders: new Map(), executable: 0, bytes: 0, arrivals: 0 };
}

export function createEntry(pool: Pool, recovered: RecoveredTransaction, headNumber: number): PoolEntry {
  const { transaction } = recovered;
  return {
    recovered,
    nonce: transaction.nonce,
    feeCap: feeCap(transaction),
    tipCap: tipCap(transaction),
    cost: maximumCost(transaction),
    arrival: pool.arrivals++,
    headNumber,
  };
}

/** Wei per gas the fee recipient gets at this base fee; negative when the entry cannot pay it. */
export function effectiveTip(entry: PoolEntry, baseFee: bigint): bigint {
  const left = entry.feeCap - baseFee;
  return left < entry.tipCap ? left : entry.tipCap;
}

/** Where an entry with `nonce` is, or would be. */
export function positionOf({ entries }: SenderQueue, nonce: bigint): number {
  // Nonces mostly arrive in order, so the search starts at the end.
  let position = entries.length;
  while (position > 0 && nonceAt(entries, position - 1) >= nonce) position--;
  return position;
}

function nonceAt(entries: readonly PoolEntry[], position: number): bigint {
  const entry = entries[position];
  assert(entry !== undefined, "a position inside the queue");
  return entry.nonce;
}

export function findByNonce(queue: SenderQueue, nonce: bigint): PoolEntry | undefined {
  const entry = queue.entries[positionOf(queue, nonce)];
  return entry?.nonce === nonce ? entry : undefined;
}

/** The sender's queue, made when there is none. */
export function queueOf(pool: Pool, sender: Address, accountNonce: bigint): SenderQueue {
  let queue = pool.senders.get(sender);
  if (queue === undefined) {
    queue = { sender, entries: [], accountNonce, executable: 0, cost: 0n };
    pool.senders.set(sender, queue);
  }
  return queue;
}

/** Adds an entry whose nonce is free in the queue. Returns what became executable by it, in order. */
export function insertEntry(pool: Pool, queue: SenderQueue, entry: PoolEntry): readonly PoolEntry[] {
  const position = positionOf(queue, entry.nonce);
  assert(queue.entries[position]?.nonce !== entry.nonce, "a nonce is in the queue once");
  queue.entries.splice(position, 0, entry);
  queue.cost += entry.cost;
  pool.byHash.set(entry.recovered.hash, entry);
  pool.bytes += entry.recovered.raw.length;
  return recountExecutable(pool, queue);
}

/** Puts an entry in the place of another with the same sender and nonce. */
export function replaceEntry(pool: Pool, queue: SenderQueue, replaced: PoolEntry, entry: PoolEntry): void {
  const position = positionOf(queue, entry.nonce);
  assert(queue.entries[position] === replaced, "an entry is replaced by one with its nonce");
  queue.entries[position] = entry;
  queue.cost += entry.cost - replaced.cost;
  pool.byHash.delete(replaced.recovered.hash);
  pool.byHash.set(entry.recovered.hash, entry);
  pool.bytes += entry.recovered.raw.length - replaced.recovered.raw.length;
}

export function removeEntry(pool: Pool, entry: PoolEntry): void {
  const queue = pool.senders.get(entry.recovered.sender);
  assert(queue !== undefined, "an entry has a queue");
  const position = positionOf(queue, entry.nonce);
  assert(queue.entries[position] === entry, "an entry is in its queue");
  queue.entries.splice(position, 1);
  queue.cost -= entry.cost;
  pool.byHash.delete(entry.recovered.hash);
  pool.bytes -= entry.recovered.raw.length;
  if (position < queue.executable) shrinkExecutable(pool, queue, position);
  if (queue.entries.length === 0) pool.senders.delete(queue.sender);
}

/** Follows the account's nonce: entries below it are gone, entries from it on may be executable. */
export function setAccountNonce(
  pool: Pool,
  queue: SenderQueue,
  accountNonce: bigint,
): { readonly dropped: readonly PoolEntry[]; readonly executable: readonly PoolEntry[] } {
  const wasExecutable = new Set(queue.entries.slice(0, queue.executable));
  const dropped = queue.entries.filter(({ nonce }) => nonce < accountNonce);
  for (const entry of dropped) removeEntry(pool, entry);
  queue.accountNonce = accountNonce;
  shrinkExecutable(pool, queue, 0);
  const executable = recountExecutable(pool, queue).filter((entry) => !wasExecutable.has(entry));
  return { dropped, executable };
}

function shrinkExecutable(pool: Pool, queue: SenderQueue, length: number): void {
  pool.executable -= queue.executable - length;
  queue.executable = length;
}

/** Extends the executable part as far as nonces follow each other; returns what it took in. */
function recountExecutable(pool: Pool, queue: SenderQueue): readonly PoolEntry[] {
  const first = queue.executable;
  while (queue.entries[queue.executable]?.nonce === queue.accountNonce + BigInt(queue.executable)) {
    queue.executable++;
  }
  pool.executable += queue.executable - first;
  return queue.entries.slice(first, queue.executable);
}
