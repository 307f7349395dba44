/** Transactions that wait for a block: admission, replacement, and following the head. See specs/node/mempool.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import {
  type HeadChange,
  type PoolStatus,
  type RejectionText,
  type SenderTransactions,
  TransactionRejected,
} from "../../rpc/chain-view.ts";
import type { Header } from "../../vm/block.ts";
import type { ChainConfig } from "../../vm/chain-config.ts";
import type { StateReader } from "../../vm/state/account.ts";
import { NO_ACCOUNT } from "../../vm/state/account-codec.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { checkAgainstPool, checkSender, checkStateless } from "./admission.ts";
import { BestTransactions } from "./best-transactions.ts";
import {
  createEntry,
  createPool,
  effectiveTip,
  insertEntry,
  type Pool,
  type PoolEntry,
  queueOf,
  removeEntry,
  replaceEntry,
  type SenderQueue,
  setAccountNonce,
} from "./pool.ts";
import { evictWorse } from "./pool-eviction.ts";
import type { TransactionJournal } from "./transaction-journal.ts";

export type MempoolLimits = {
  readonly transactions: number;
  readonly bytes: number;
  /** How far above the account's nonce a transaction may be, and so how many one sender has at most. */
  readonly perSender: number;
  /** Transactions behind a nonce gap, of all senders together. */
  readonly queued: number;
  /** Blocks after which a transaction that still waits behind a gap is dropped. */
  readonly queuedLifetimeBlocks: number;
  /** Wei per gas below which a tip is not worth a place. */
  readonly minimumTip: bigint;
};

export const DEFAULT_MEMPOOL_LIMITS: MempoolLimits = {
  transactions: 32_768,
  // A thousand of the largest transactions, or all of the usual ones many times over.
  bytes: 128 * 1024 * 1024,
  perSender: 2048,
  queued: 8192,
  // An hour of one-second slots.
  queuedLifetimeBlocks: 3600,
  minimumTip: 1n,
};

/** The block on which the next transaction would run. */
export type PoolHead = {
  readonly header: Pick<Header, "number" | "gasLimit">;
  readonly state: StateReader;
  /** Base fee of the next block. */
  readonly nextBaseFee: bigint;
};

/** Where a transaction came from. What our own users sent, and what a block lost, survives a restart. */
export type TransactionOrigin = "local" | "gossip" | "abandonedBlock";

/** How often, in blocks, the pool looks for queued transactions that waited too long. */
const LIFETIME_CHECK_BLOCKS = 64;

/** What the pool knows of the chain it is for. */
export type PoolChain = Pick<ChainConfig, "chainId" | "allowsContractSenders">;

/** Told what the pool takes and what it does not keep. */
export type MempoolObserver = {
  onAdmitted(origin: TransactionOrigin): void;
  /** The rejection's text, or why one that was in the pool left it without being mined. */
  onDropped(reason: RejectionText | "replaced" | "evicted" | "unpayable" | "stale" | "cleared"): void;
};

const NO_OBSERVER: MempoolObserver = { onAdmitted: () => undefined, onDropped: () => undefined };

export type MempoolStatistics = PoolStatus & { readonly bytes: number };

export class Mempool {
  readonly #chain: PoolChain;
  readonly #limits: MempoolLimits;
  readonly #journal: TransactionJournal | undefined;
  readonly #observer: MempoolObserver;
  readonly #pool: Pool = createPool();
  #head: PoolHead;
  /** The tip below which a full pool takes nothing, while nothing has left it. */
  #fullBelow: bigint | undefined;

  constructor(
    chain: PoolChain,
    limits: MempoolLimits,
    head: PoolHead,
    journal?: TransactionJournal,
    observer: MempoolObserver = NO_OBSERVER,
  ) {
    this.#observer = observer;
    this.#chain = chain;
    this.#limits = limits;
    this.#head = head;
    this.#journal = journal;
  }

  get(hash: Hash): RecoveredTransaction | undefined {
    return this.#pool.byHash.get(hash)?.recovered;
  }

  /** The account's nonce plus the executable transactions that follow it. */
  pendingNonce(address: Address): bigint {
    const nonce = this.#head.state.account(address)?.nonce ?? 0n;
    return nonce + BigInt(this.#pool.senders.get(address)?.executable ?? 0);
  }

  status(): PoolStatus {
    const pending = this.#pool.executable;
    return { pending, queued: this.#pool.byHash.size - pending };
  }

  statistics(): MempoolStatistics {
    return { ...this.status(), bytes: this.#pool.bytes };
  }

  /** Executable transactions, by sender and nonce. */
  pending(): readonly RecoveredTransaction[] {
    return this.content().flatMap(({ pending }) => pending);
  }

  /** Everything, by sender. */
  content(): readonly SenderTransactions[] {
    return [...this.#pool.senders.keys()].map((sender) => this.contentOf(sender));
  }

  contentOf(sender: Address): SenderTransactions {
    const { entries, executable } = this.#pool.senders.get(sender) ?? { entries: [], executable: 0 };
    const pending = toRecovered(entries.slice(0, executable));
    return { sender, pending, queued: toRecovered(entries.slice(executable)) };
  }

  /** What to put into a block with this base fee, best first. */
  best(baseFee: bigint): BestTransactions {
    return new BestTransactions(this.#pool, baseFee);
  }

  /**
   * Admits a transaction whose signature was checked.
   * @returns what became executable by it, in nonce order: itself first, or nothing when it is queued.
   * @throws TransactionRejected
   */
  add(recovered: RecoveredTransaction, origin: TransactionOrigin): readonly RecoveredTransaction[] {
    try {
      const executable = this.#admit(recovered, origin);
      this.#observer.onAdmitted(origin);
      return executable;
    } catch (error) {
      if (error instanceof TransactionRejected) this.#observer.onDropped(error.text);
      throw error;
    }
  }

  #admit(recovered: RecoveredTransaction, origin: TransactionOrigin): readonly RecoveredTransaction[] {
    if (this.#pool.byHash.has(recovered.hash)) throw new TransactionRejected("already known");
    const { header, state } = this.#head;
    checkStateless(recovered, this.#chain.chainId, header.gasLimit, this.#limits.minimumTip);
    const account = state.account(recovered.sender) ?? NO_ACCOUNT;
    checkSender(recovered, account, this.#chain.allowsContractSenders === true);

    const entry = createEntry(this.#pool, recovered, header.number);
    const queue = this.#pool.senders.get(recovered.sender);
    const replaced = checkAgainstPool(entry, queue, account, this.#limits.perSender);
    const executable =
      queue !== undefined && replaced !== undefined
        ? this.#replace(queue, replaced, entry)
        : this.#insert(entry, account.nonce);
    if (origin !== "gossip") this.#journal?.put(recovered);
    return toRecovered(executable);
  }

  #replace(queue: SenderQueue, replaced: PoolEntry, entry: PoolEntry): readonly PoolEntry[] {
    replaceEntry(this.#pool, queue, replaced, entry);
    this.#onRemoved([replaced], "replaced");
    return queue.entries.indexOf(entry) < queue.executable ? [entry] : [];
  }

  #insert(entry: PoolEntry, accountNonce: bigint): readonly PoolEntry[] {
    const { sender } = entry.recovered;
    const executable = this.#pool.senders.get(sender)?.executable ?? 0;
    const wouldQueue = entry.nonce > accountNonce + BigInt(executable);
    if (wouldQueue && this.status().queued >= this.#limits.queued) {
      throw new TransactionRejected("txpool is full");
    }
    this.#makeRoom(entry);
    return insertEntry(this.#pool, queueOf(this.#pool, sender, accountNonce), entry);
  }

  /** @throws TransactionRejected when the pool is full of better offers. */
  #makeRoom(entry: PoolEntry): void {
    const { transactions, bytes } = this.#limits;
    const missingBytes = this.#pool.bytes + entry.recovered.raw.length - bytes;
    if (this.#pool.byHash.size < transactions && missingBytes <= 0) return;
    const tip = effectiveTip(entry, this.#head.nextBaseFee);
    if (this.#fullBelow !== undefined && tip <= this.#fullBelow)
      throw new TransactionRejected("txpool is full");
    const evicted = evictWorse(this.#pool, this.#head.nextBaseFee, entry, missingBytes);
    if (evicted.length === 0) {
      this.#fullBelow = tip;
      throw new TransactionRejected("txpool is full");
    }
    this.#onRemoved(evicted, "evicted");
  }

  /** @param reason undefined for what a block made pointless. */
  #onRemoved(entries: readonly PoolEntry[], reason?: Parameters<MempoolObserver["onDropped"]>[0]): void {
    if (entries.length > 0) this.#fullBelow = undefined;
    for (const { recovered } of entries) {
      this.#journal?.delete(recovered.hash);
      if (reason !== undefined) this.#observer.onDropped(reason);
    }
  }

  /**
   * Follows the head: mined transactions leave, those of abandoned blocks come back, and what the
   * senders' new nonces made executable is returned.
   *
   * Cost: linear in the transactions of the blocks; other senders are looked at when they act.
   */
  onHead(head: PoolHead, { removed, added }: HeadChange): readonly RecoveredTransaction[] {
    this.#head = head;
    this.#fullBelow = undefined;
    const senders = new Set<Address>();
    const mined = new Set<Hash>();
    for (const { transactions } of added) {
      for (const { hash, sender } of transactions) {
        senders.add(sender);
        mined.add(hash);
      }
    }
    const executable: RecoveredTransaction[] = [];
    const abandoned = removed
      .flatMap(({ transactions }) => transactions)
      .filter(({ hash }) => !mined.has(hash));
    for (const { sender } of abandoned) senders.add(sender);
    for (const sender of senders) executable.push(...this.refresh(sender));
    for (const recovered of abandoned) executable.push(...this.#readmit(recovered));
    if (head.header.number % LIFETIME_CHECK_BLOCKS === 0) this.#dropStale(head.header.number);
    return executable;
  }

  #readmit(recovered: RecoveredTransaction): readonly RecoveredTransaction[] {
    try {
      return this.add(recovered, "abandonedBlock");
    } catch (error) {
      // The new chain may have made it impossible, for instance by another transaction with its nonce.
      if (error instanceof TransactionRejected) return [];
      throw error;
    }
  }

  /**
   * Looks at a sender's account again and drops what can no longer run. For senders of new blocks,
   * and for one whose transaction a payload could not take.
   */
  refresh(sender: Address): readonly RecoveredTransaction[] {
    const queue = this.#pool.senders.get(sender);
    if (queue === undefined) return [];
    const account = this.#head.state.account(sender) ?? NO_ACCOUNT;
    const { dropped, executable } = setAccountNonce(this.#pool, queue, account.nonce);
    this.#onRemoved(dropped);
    const unpayable: PoolEntry[] = [];
    for (let last = queue.entries.at(-1); queue.cost > account.balance && last; last = queue.entries.at(-1)) {
      removeEntry(this.#pool, last);
      unpayable.push(last);
    }
    this.#onRemoved(unpayable, "unpayable");
    return toRecovered(executable.filter((entry) => this.#pool.byHash.has(entry.recovered.hash)));
  }

  /** Forgets everything that waits. */
  clear(): void {
    const entries = [...this.#pool.byHash.values()];
    for (const entry of entries) removeEntry(this.#pool, entry);
    this.#onRemoved(entries, "cleared");
  }

  #dropStale(headNumber: number): void {
    const stale: PoolEntry[] = [];
    for (const { entries, executable } of this.#pool.senders.values()) {
      for (const entry of entries.slice(executable)) {
        if (headNumber - entry.headNumber > this.#limits.queuedLifetimeBlocks) stale.push(entry);
      }
    }
    for (const entry of stale) removeEntry(this.#pool, entry);
    this.#onRemoved(stale, "stale");
  }
}

function toRecovered(entries: readonly PoolEntry[]): readonly RecoveredTransaction[] {
  return entries.map(({ recovered }) => recovered);
}
