/** The pool at work: users and peers on one side, the chain and its proposer on the other. See specs/node/mempool.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import {
  type HeadChange,
  type PoolStatus,
  type SenderTransactions,
  TransactionRejected,
} from "../../rpc/chain-view.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Block } from "../../vm/block.ts";
import type { TransactionSource } from "../../vm/build-payload.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { recoverOrReject } from "./admission.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import type { TransactionPool } from "./execution-service.ts";
import {
  DEFAULT_RECOVERY_BUDGET,
  GossipAdmitter,
  type GossipVerdict,
  RecoveryBudget,
} from "./gossip-admission.ts";
import {
  Mempool,
  type MempoolLimits,
  type MempoolObserver,
  type MempoolStatistics,
  type PoolHead,
} from "./mempool.ts";
import type { GossipedTransactions } from "./port.ts";
import type { StoredTransactionJournal } from "./transaction-journal.ts";

export type NodePoolOptions = {
  readonly chain: ExecutionChain;
  readonly limits: MempoolLimits;
  readonly journal: StoredTransactionJournal;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** Gossips what our users sent. */
  publish(raws: readonly Uint8Array[]): void;
  /** A development chain's: transactions of blocks that were taken back do not wait for another block. */
  readonly forgetsAbandoned?: boolean;
  readonly observer?: MempoolObserver;
};

export class NodePool implements TransactionPool {
  readonly #chain: ExecutionChain;
  readonly #journal: StoredTransactionJournal;
  readonly #mempool: Mempool;
  readonly #admitter: GossipAdmitter;
  readonly #publish: NodePoolOptions["publish"];
  readonly #listeners = new Set<(transaction: RecoveredTransaction) => void>();

  /** Subscribes to the chain: create it before whoever shows the pool next to the head. */
  constructor(options: NodePoolOptions) {
    const { chain, limits, journal, nowMs, publish } = options;
    this.#chain = chain;
    this.#journal = journal;
    this.#publish = publish;
    this.#mempool = new Mempool(chain.config, limits, this.#headOf(chain.head()), journal, options.observer);
    const budget = new RecoveryBudget(DEFAULT_RECOVERY_BUDGET, nowMs);
    this.#admitter = new GossipAdmitter(this.#mempool, chain.config.chainId, budget);
    chain.subscribe({
      onHead: (change) => this.#follow(change, options.forgetsAbandoned === true),
    });
    for (const raw of journal.load()) this.#restore(raw);
  }

  get(hash: Hash): RecoveredTransaction | undefined {
    return this.#mempool.get(hash);
  }

  best(baseFee: bigint): TransactionSource {
    return this.#mempool.best(baseFee);
  }

  status(): PoolStatus {
    return this.#mempool.status();
  }

  statistics(): MempoolStatistics {
    return this.#mempool.statistics();
  }

  pending(): readonly RecoveredTransaction[] {
    return this.#mempool.pending();
  }

  content(): readonly SenderTransactions[] {
    return this.#mempool.content();
  }

  contentOf(sender: Address): SenderTransactions {
    return this.#mempool.contentOf(sender);
  }

  pendingNonce(address: Address): bigint {
    return this.#mempool.pendingNonce(address);
  }

  async addGossiped(batch: GossipedTransactions): Promise<readonly GossipVerdict[]> {
    const { verdicts, executable } = await this.#admitter.admit(batch);
    this.#announce(executable);
    return verdicts;
  }

  /** A transaction of one of our users: admitted, noted and gossiped. @throws TransactionRejected */
  submit(raw: Uint8Array): RecoveredTransaction {
    const recovered = recoverOrReject(raw);
    this.submitRecovered(recovered);
    return recovered;
  }

  /** As `submit`, for a transaction whose sender is known by other means. @throws TransactionRejected */
  submitRecovered(recovered: RecoveredTransaction): void {
    const executable = this.#mempool.add(recovered, "local");
    // Also one behind a gap: whatever closes the gap may come from another node.
    this.#publish([recovered.raw]);
    this.#announce(executable);
  }

  /** The sender's account changed by other means than a transaction of its own. */
  refresh(sender: Address): void {
    this.#announce(this.#mempool.refresh(sender));
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#mempool.clear();
  }

  /** Calls `listener` for each transaction that becomes executable. Returns the function that ends it. */
  onPending(listener: (transaction: RecoveredTransaction) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when what our users sent so far would survive the end of the process. */
  stored(): Promise<void> {
    return this.#journal.stored();
  }

  /** Resolves when the journal is stored. */
  async stop(): Promise<void> {
    await this.#journal.settled();
  }

  #follow(change: HeadChange, forgetsAbandoned: boolean): void {
    const isTakenBack = forgetsAbandoned && change.removed.length > 0;
    if (isTakenBack) this.#mempool.clear();
    const seen = isTakenBack ? { ...change, removed: [] } : change;
    this.#announce(this.#mempool.onHead(this.#headOf(this.#chain.head()), seen));
  }

  #announce(transactions: readonly RecoveredTransaction[]): void {
    for (const transaction of transactions) for (const listener of this.#listeners) listener(transaction);
  }

  #headOf(head: Block): PoolHead {
    const state = this.#chain.stateAt(head.hash);
    assert(state !== undefined, "the state of the head is known");
    return { header: head.header, state, nextBaseFee: nextBaseFee(head.header) };
  }

  #restore(raw: Uint8Array): void {
    try {
      this.#mempool.add(recoverOrReject(raw), "local");
    } catch (error) {
      // What was mined meanwhile, or cannot run any more, is not worth a word.
      if (!(error instanceof TransactionRejected)) throw error;
    }
  }
}
