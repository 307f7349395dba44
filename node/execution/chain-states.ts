/** The states of the execution chain's blocks: on disk up to finality, layers above it. See specs/node/execution.md#blocks-and-layers. */
import { concatBytes, type Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Block } from "../../vm/block.ts";
import type { StateDiff, StateStore } from "../../vm/state/account.ts";
import { type Layer, LayerTree } from "../../vm/state/layers.ts";
import type { Blocks } from "../storage/blocks.ts";
import type { Database } from "../storage/database.ts";
import {
  type FinalizedBlock,
  FinalizedState,
  type FinalizedStateOptions,
} from "../storage/finalized-state.ts";
import { SpilledLayers } from "../storage/spilled-layers.ts";
import { STATE_PAGE_LIMIT, type StateEntries, type StateRange } from "./port.ts";

/** Blocks merged into the state on disk at a time; the rest of a long backlog waits for the next time. */
export const MERGE_LIMIT_BLOCKS = 64;

export type ExecutionGenesis = { readonly block: Block; readonly diff: StateDiff };

/** Everything is synchronous; only ExecutionChain changes it. */
export class ChainStates {
  readonly #blocks: Blocks;
  readonly #disk: FinalizedState;
  readonly #layers: LayerTree;

  /** Continues with what the database holds, spilled layers included; a new one begins with genesis. */
  constructor(database: Database, blocks: Blocks, genesis: ExecutionGenesis, options: FinalizedStateOptions) {
    this.#blocks = blocks;
    this.#disk = new FinalizedState(database, options);
    if (this.#disk.finalized() === undefined) {
      const { number, hash } = { number: genesis.block.header.number, hash: genesis.block.hash };
      database.write(() => {
        this.#disk.merge([{ number, hash, diff: genesis.diff }]);
        blocks.putGenesis(genesis.block);
        blocks.putForkchoice({ head: hash, safe: hash, finalized: hash });
      });
    }
    const spilled = new SpilledLayers(database, this.#disk);
    this.#layers = new LayerTree(this.merged().hash, this.#disk, spilled);
    for (const { blockHash, parentHash } of spilled.blocks()) {
      if (this.has(parentHash)) this.#layers.restore(blockHash, parentHash);
      else spilled.remove(blockHash);
    }
  }

  /** Whether the state after this block is here to build on: it is the merged block or above it. */
  has(hash: Hash): boolean {
    return this.#layers.has(hash);
  }

  /** A block's changes over its parent's, whose state is here. */
  add(layer: Layer): void {
    this.#layers.add(layer);
  }

  /** Layers that were not spilled, parents before their children. */
  inMemory(): Iterable<Layer> {
    return this.#layers.inMemory();
  }

  /**
   * The state after a block; undefined when the block is unknown, abandoned or older than the history
   * window. To be used at once: it answers for the block only until the next merge.
   */
  at(hash: Hash): StateStore | undefined {
    const layered = this.#layers.at(hash);
    if (layered !== undefined) return layered;
    const number = this.#blocks.get(hash)?.header.number;
    if (number === undefined || this.#blocks.canonicalHash(number) !== hash) return undefined;
    return number < this.oldest() ? undefined : this.#disk.at(number);
  }

  /** Number of the oldest block whose state can be read. */
  oldest(): number {
    return this.#disk.oldest();
  }

  code(codeHash: Hash): Uint8Array | undefined {
    return this.#disk.code(codeHash);
  }

  /** Entries of the state after a finalized block; undefined when the disk does not have that state. */
  readPage({ blockNumber, table, after }: StateRange): StateEntries | undefined {
    if (blockNumber < this.oldest() || blockNumber > this.merged().number) return undefined;
    const entries: (readonly [Uint8Array, Uint8Array])[] = [];
    // The key right after `after` is `after` and a zero byte.
    const from = after.length === 0 ? Uint8Array.of(0) : concatBytes(after, Uint8Array.of(0));
    for (const { key, value } of this.#disk.entriesAt(blockNumber, table, from)) {
      entries.push([key, value]);
      if (entries.length >= STATE_PAGE_LIMIT) break;
    }
    return entries;
  }

  /** The block whose state is on disk. */
  merged(): FinalizedBlock {
    const merged = this.#disk.finalized();
    assert(merged !== undefined, "the database holds a finalized state");
    return merged;
  }

  /**
   * Merges canonical blocks up to number `finalized`, oldest first; branches that lost are gone. Inside a
   * write. Returns the hash of the last block merged, undefined when there was nothing to merge.
   */
  mergeUpTo(finalized: number): Hash | undefined {
    const { number: base } = this.merged();
    const last = Math.min(finalized, base + MERGE_LIMIT_BLOCKS);
    for (let number = base + 1; number <= last; number++) {
      const hash = this.#blocks.canonicalHash(number);
      assert(hash !== undefined, "the canonical chain has no gaps");
      this.#disk.merge([{ number, hash, diff: this.#layers.flatten(hash) }]);
      this.#layers.finalize(hash);
    }
    if (last <= base) return undefined;
    this.#blocks.finalize(last);
    return this.#layers.finalizedHash;
  }
}
