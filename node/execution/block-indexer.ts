/** Keeps an index of finalized blocks up with finality, in the background. See specs/node/log-index.md. */
import type { ExecutionChain } from "./execution-chain.ts";

/** Blocks indexed in one commit. */
const BATCH_BLOCKS = 64;

/** What of finalized blocks can be searched for. */
export type BlockIndex<Entry> = {
  /** Empties what another version of the index left; asked for before anything is added. */
  prepare?(): Promise<void>;
  /** Number of the last block in the index; -1 before the first. */
  indexedTo(): number;
  /** Adds finalized blocks, the first right after `indexedTo`, in one commit. */
  add(entries: readonly Entry[]): Promise<void>;
};

/**
 * Indexes blocks once they are merged. Nothing is lost when the process dies in between: the index says
 * how far it is, and until it is further, searches look at the blocks themselves.
 */
export class BlockIndexer<Entry> {
  readonly #chain: ExecutionChain;
  readonly #index: BlockIndex<Entry>;
  readonly #read: (number: number) => Entry;
  readonly #onFault: (error: unknown) => void;
  readonly #unsubscribe: () => void;
  #run: Promise<void> | undefined;
  #isStopped = false;

  /** @param read what the index takes of a canonical block. */
  constructor(
    chain: ExecutionChain,
    index: BlockIndex<Entry>,
    read: (number: number) => Entry,
    onFault: (error: unknown) => void,
  ) {
    this.#chain = chain;
    this.#index = index;
    this.#read = read;
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
    await this.#index.prepare?.();
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      await this.#index.add(batch);
    }
  }

  #nextBatch(): readonly Entry[] {
    const first = Math.max(this.#index.indexedTo() + 1, this.#chain.blocks.oldest());
    const last = Math.min(this.#chain.merged().number, first + BATCH_BLOCKS - 1);
    const batch: Entry[] = [];
    for (let number = first; number <= last && !this.#isStopped; number++) batch.push(this.#read(number));
    return batch;
  }
}
