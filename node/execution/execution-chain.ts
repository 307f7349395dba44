/**
 * The execution side's chain: which blocks it has, their states, and which of them are canonical, safe and
 * final. See specs/node/execution.md.
 */
import type { Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { HeadChange } from "../../rpc/chain-view.ts";
import type { Block } from "../../vm/block.ts";
import type { AncestorHash, BlockResult } from "../../vm/block-execution.ts";
import {
  type BuiltPayload,
  buildPayload,
  type PayloadAttributes,
  type TransactionSource,
} from "../../vm/build-payload.ts";
import type { ChainConfig } from "../../vm/chain-config.ts";
import { executePayload, type PayloadInput } from "../../vm/execute-block.ts";
import type { ContractMachine } from "../../vm/message.ts";
import type { StateStore } from "../../vm/state/account.ts";
import type { Layer } from "../../vm/state/layers.ts";
import { Blocks } from "../storage/blocks.ts";
import type { Database } from "../storage/database.ts";
import { ChainStates, type ExecutionGenesis } from "./chain-states.ts";
import type { ForkchoiceUpdate, StateEntries, StateRange } from "./port.ts";

/** Blocks of our own making whose execution is remembered until they come back to be imported. */
const BUILT_BLOCKS_LIMIT = 2;

export type ExecutionChainOptions = {
  readonly database: Database;
  readonly config: ChainConfig;
  readonly genesis: ExecutionGenesis;
  readonly machine: ContractMachine;
  readonly historyBlocks?: number;
  readonly stopwatch?: BlockStopwatch;
};

/** Times the stages of each block that is executed or built. */
export type BlockStopwatch = {
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
  onExecuted(times: {
    readonly transactionsMs: number;
    /** The new state with its tries. */
    readonly stateMs: number;
    readonly gasUsed: bigint;
    readonly transactions: number;
  }): void;
};

export type ExecutionChainEvents = {
  /** A block was executed; its changes lie over its parent's. A new listener hears of those in memory first. */
  onLayer?(layer: Layer, block: Block): void;
  /** The state on disk became this block's; layers of abandoned branches are gone. */
  onMerged?(block: Block): void;
  onHead?(change: HeadChange): void;
};

type ExecutedBlock = Pick<BlockResult, "receipts" | "innerParticipants" | "diff"> & { readonly block: Block };

/** One writer: only the execution thread has one. Everything but storing a new block is synchronous. */
export class ExecutionChain {
  readonly blocks: Blocks;
  readonly config: ChainConfig;
  readonly genesisHash: Hash;
  readonly #database: Database;
  readonly #machine: ContractMachine;
  readonly #states: ChainStates;
  readonly #listeners = new Set<ExecutionChainEvents>();
  readonly #stopwatch: BlockStopwatch | undefined;
  readonly #built = new Map<Hash, ExecutedBlock>();
  #head: Block;
  #safe: Block;
  #finalized: Block;

  /**
   * Continues where the database stands; a new one begins with genesis. Unfinalized blocks are executed
   * again, except those whose layers were spilled.
   */
  constructor({ database, config, genesis, machine, historyBlocks, stopwatch }: ExecutionChainOptions) {
    this.#database = database;
    this.#stopwatch = stopwatch;
    this.#machine = machine;
    this.config = config;
    this.genesisHash = genesis.block.hash;
    this.blocks = new Blocks(database);
    const history = historyBlocks === undefined ? {} : { historyBlocks };
    this.#states = new ChainStates(database, this.blocks, genesis, history);
    this.#executeStored();

    const stored = this.blocks.forkchoice();
    assert(stored !== undefined, "fork choice is stored from genesis on");
    this.#head = this.#stored(stored.head);
    this.#safe = this.#stored(stored.safe);
    this.#finalized = this.#stored(stored.finalized);
  }

  head(): Block {
    return this.#head;
  }

  safe(): Block {
    return this.#safe;
  }

  finalized(): Block {
    return this.#finalized;
  }

  /** Whether blocks can be executed on top of `hash`. */
  canExtend(hash: Hash): boolean {
    return this.#states.has(hash);
  }

  /** Whether this block has been executed here, lately or long ago. */
  isExecuted(hash: Hash): boolean {
    return this.#states.has(hash) || this.isCanonical(hash);
  }

  isCanonical(hash: Hash): boolean {
    const block = this.blocks.get(hash);
    return block !== undefined && this.blocks.canonicalHash(block.header.number) === hash;
  }

  /**
   * The state after a block; undefined when the block is unknown, abandoned or older than the history
   * window. To be used at once: it answers for the block only until fork choice moves.
   */
  stateAt(hash: Hash): StateStore | undefined {
    return this.#states.at(hash);
  }

  /** Number of the oldest block whose state can be read. */
  oldestState(): number {
    return this.#states.oldest();
  }

  /** A page of a finalized block's state; undefined when it is not on disk any more, or not yet. */
  readState(range: StateRange): StateEntries | undefined {
    return this.#states.readPage(range);
  }

  readCode(codeHash: Hash): Uint8Array | undefined {
    return this.#states.code(codeHash);
  }

  /** Number and hash of the block whose state is on disk. */
  merged(): { readonly number: number; readonly hash: Hash } {
    const { number, hash } = this.#states.merged();
    return { number, hash };
  }

  /**
   * Hashes of `block` and its ancestors by number: the walk goes down its branch to the canonical chain,
   * whose index answers for the rest. All of them must be stored.
   */
  ancestorHashes(block: Block): AncestorHash {
    return (number) => {
      let at = block;
      while (at.header.number > number && !this.isCanonical(at.hash)) at = this.#stored(at.header.parentHash);
      const hash = at.header.number === number ? at.hash : this.blocks.canonicalHash(number);
      assert(hash !== undefined, "every ancestor is stored");
      return hash;
    };
  }

  /**
   * Executes a block on its parent, which `canExtend`, and keeps it. Resolves when a killed process still
   * has it.
   * @throws InvalidBlockError
   */
  async importBlock(block: Block): Promise<void> {
    if (this.isExecuted(block.hash)) return;
    const { receipts, innerParticipants, diff } = this.#built.get(block.hash) ?? this.#execute(block);
    await this.blocks.put(block, receipts, innerParticipants);
    const { parentHash } = block.header;
    // Meanwhile the same block may have come a second time, or finality may have left its branch behind.
    if (this.isExecuted(block.hash) || !this.canExtend(parentHash)) return;
    const layer = { blockHash: block.hash, parentHash, diff };
    this.#states.add(layer);
    for (const listener of this.#listeners) listener.onLayer?.(layer, block);
  }

  /** A valid block on top of `parent`, whose state must be known. It is not imported. */
  build(
    parent: Block,
    attributes: PayloadAttributes,
    source: TransactionSource,
    shouldStop: () => boolean,
  ): BuiltPayload {
    const built = this.#timed(parent, (input) => buildPayload(input, attributes, source, shouldStop));
    this.#built.set(built.block.hash, built);
    for (const oldest of this.#built.keys()) {
      if (this.#built.size <= BUILT_BLOCKS_LIMIT) break;
      this.#built.delete(oldest);
    }
    return built;
  }

  /**
   * Makes `head` canonical and merges what is final, in one write. False when one of the blocks is not
   * known here, and then nothing changed. A finalized block never changes: asking for that is a broken
   * invariant.
   */
  setForkchoice(update: ForkchoiceUpdate): boolean {
    const head = this.canExtend(update.head) ? this.blocks.get(update.head) : undefined;
    const safe = this.blocks.get(update.safe);
    const finalized = this.blocks.get(update.finalized);
    if (head === undefined || safe === undefined || finalized === undefined) return false;
    const change = this.#changeTo(head);
    const merged = this.#database.write(() => {
      this.blocks.moveCanonical(change.removed, change.added);
      this.blocks.putForkchoice(update);
      assert(this.isCanonical(finalized.hash), "the finalized block is an ancestor of the head");
      return this.#states.mergeUpTo(finalized.header.number);
    });
    this.#head = head;
    this.#safe = safe;
    this.#finalized = finalized;
    for (const listener of this.#listeners) {
      if (merged !== undefined) listener.onMerged?.(this.#stored(merged));
      if (change.added.length > 0 || change.removed.length > 0) listener.onHead?.(change);
    }
    return true;
  }

  /** Returns the function that ends the subscription. */
  subscribe(events: ExecutionChainEvents): () => void {
    for (const layer of this.#states.inMemory()) events.onLayer?.(layer, this.#stored(layer.blockHash));
    this.#listeners.add(events);
    return () => void this.#listeners.delete(events);
  }

  #executeStored(): void {
    for (const { hash } of this.blocks.unfinalized()) {
      const block = this.#stored(hash);
      const { parentHash } = block.header;
      if (this.#states.has(hash) || !this.#states.has(parentHash)) continue;
      this.#states.add({ blockHash: hash, parentHash, diff: this.#execute(block).diff });
    }
  }

  #execute(block: Block): ExecutedBlock {
    const parent = this.#stored(block.header.parentHash);
    return { block, ...this.#timed(parent, (input) => executePayload(input, block)) };
  }

  #timed<T extends BlockResult>(parent: Block, run: (input: PayloadInput) => T): T {
    const input = this.#inputOn(parent);
    if (this.#stopwatch === undefined) return run(input);
    const { nowMs } = this.#stopwatch;
    const startMs = nowMs();
    const at = { transactions: startMs, state: startMs };
    const onStage = (stage: keyof typeof at) => {
      at[stage] = nowMs();
    };
    const result = run({ ...input, onStage });
    this.#stopwatch.onExecuted({
      transactionsMs: at.transactions - startMs,
      stateMs: at.state - at.transactions,
      gasUsed: result.gasUsed,
      transactions: result.receipts.length,
    });
    return result;
  }

  #inputOn(parent: Block): PayloadInput {
    const state = this.#states.at(parent.hash);
    assert(state !== undefined, "the state after the parent is known");
    return {
      config: this.config,
      machine: this.#machine,
      parent: parent.header,
      state,
      ancestorHash: this.ancestorHashes(parent),
    };
  }

  #changeTo(head: Block): HeadChange {
    const removed: Block[] = [];
    const added: Block[] = [];
    for (let old = this.#head, next = head; old.hash !== next.hash; ) {
      if (old.header.number >= next.header.number) {
        removed.push(old);
        old = this.#stored(old.header.parentHash);
      } else {
        added.push(next);
        next = this.#stored(next.header.parentHash);
      }
    }
    return { removed, added: added.reverse() };
  }

  #stored(hash: Hash): Block {
    const block = this.blocks.get(hash);
    assert(block !== undefined, `block ${hash} is stored`);
    return block;
  }
}
