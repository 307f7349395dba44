/** Keeps the log index up with finality, in the background. See specs/node/log-index.md. */
import type { ExecutionChain } from "./execution-chain.ts";
import type { LoggedBlock, LogIndex } from "./log-index.ts";

/** Blocks indexed in one commit. */
const BATCH_BLOCKS = 64;

/**
 * Indexes blocks once they are merged. Nothing is lost when the process dies in between: the index says
 * how far it is, and until it is further, searches look at the blocks themselves.
 */
export class LogIndexer {
  readonly #chain: ExecutionChain;
  readonly #index: LogIndex;
  readonly #onFault: (error: unknown) => void;
  readonly #unsubscribe: () => void;
  #run: Promise<void> | undefined;
  #isStopped = false;

  constructor(chain: ExecutionChain, index: LogIndex, onFault: (error: unknown) => void) {
    this.#chain = chain;
    this.#index = index;
    this.#onFault = onFault;
    this.#unsubscribe = chain.subscribe({ onMerged: () => void this.catchUp() });
  }

  /** Resolves when every merged block is in the index, or the indexer is stopped. */
  catchUp(): Promise<void> {
    this.#run ??= this.#indexAll()
      .catch(this.#onFault)
      .finally(() => {
        this.#run = undefined;
      });
    return this.#run;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    await this.#run;
  }

  async #indexAll(): Promise<void> {
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      await this.#index.add(batch);
    }
  }

  #nextBatch(): readonly LoggedBlock[] {
    const { blocks } = this.#chain;
    const first = Math.max(this.#index.indexedTo() + 1, blocks.oldest());
    const last = Math.min(this.#chain.merged().number, first + BATCH_BLOCKS - 1);
    const batch: LoggedBlock[] = [];
    for (let number = first; number <= last && !this.#isStopped; number++) {
      const hash = blocks.canonicalHash(number);
      const receipts = hash === undefined ? [] : (blocks.receipts(hash) ?? []);
      batch.push({ number, logs: receipts.flatMap(({ logs }) => logs) });
    }
    return batch;
  }
}
