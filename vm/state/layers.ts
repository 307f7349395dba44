/** The states of unfinalized blocks: a tree of diffs over the finalized state. See specs/vm/state.md#layers. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Account, StateDiff, StateStore } from "./account.ts";
import { mergeDiffs } from "./merge-diffs.ts";

/** Layers kept in memory; when finality stalls, older ones go to the spill. */
export const LAYERS_IN_MEMORY_LIMIT = 64;

/** One unfinalized block's changes. */
export type Layer = { readonly blockHash: Hash; readonly parentHash: Hash; readonly diff: StateDiff };

/** Where layers go that are too many for memory; on disk, so that a restart finds them. */
export interface LayerSpill {
  put(layer: Layer): void;
  get(blockHash: Hash): Layer | undefined;
  remove(blockHash: Hash): void;
  /**
   * The state after a spilled block: its changes and those of its spilled ancestors over the finalized
   * state. Lookups should not grow slower with every spilled block.
   */
  at(blockHash: Hash): StateStore;
}

/**
 * The finalized state, one layer per unfinalized block in memory, and the spill between them.
 *
 * A read walks from its block's layer down, at most LAYERS_IN_MEMORY_LIMIT map lookups, usually three or four.
 */
export class LayerTree {
  readonly #finalized: StateStore;
  readonly #spill: LayerSpill;
  /** Insertion order: parents come before their children. */
  readonly #layers = new Map<Hash, Layer>();
  /** Spilled blocks and their parents. */
  readonly #spilled = new Map<Hash, Hash>();
  #finalizedHash: Hash;

  /** @param finalized always answers for the state after the last block given to `finalize`. */
  constructor(finalizedHash: Hash, finalized: StateStore, spill: LayerSpill) {
    this.#finalizedHash = finalizedHash;
    this.#finalized = finalized;
    this.#spill = spill;
  }

  get finalizedHash(): Hash {
    return this.#finalizedHash;
  }

  /** Parents come before their children. */
  inMemory(): Iterable<Layer> {
    return this.#layers.values();
  }

  has(blockHash: Hash): boolean {
    return blockHash === this.#finalizedHash || this.#layers.has(blockHash) || this.#spilled.has(blockHash);
  }

  /** Adds a block's changes; its parent must be known. Adding a block again does nothing. */
  add(layer: Layer): void {
    assert(this.has(layer.parentHash), `the state after ${layer.parentHash} is known`);
    if (this.has(layer.blockHash)) return;
    this.#layers.set(layer.blockHash, layer);
    for (const oldest of this.#layers.values()) {
      if (this.#layers.size <= LAYERS_IN_MEMORY_LIMIT) break;
      this.#spill.put(oldest);
      this.#layers.delete(oldest.blockHash);
      this.#spilled.set(oldest.blockHash, oldest.parentHash);
    }
  }

  /** Makes a layer known that is in the spill already, after a restart. Parents come before children. */
  restore(blockHash: Hash, parentHash: Hash): void {
    assert(this.has(parentHash), `the state after ${parentHash} is known`);
    this.#spilled.set(blockHash, parentHash);
  }

  /** The state after a block, or undefined when it is not known. Valid until the next `finalize`. */
  at(blockHash: Hash): StateStore | undefined {
    if (!this.has(blockHash)) return undefined;
    const diffs: StateDiff[] = [];
    let hash = blockHash;
    for (let layer = this.#layers.get(hash); layer !== undefined; layer = this.#layers.get(hash)) {
      diffs.push(layer.diff);
      hash = layer.parentHash;
    }
    return new LayeredState(diffs, hash === this.#finalizedHash ? this.#finalized : this.#spill.at(hash));
  }

  /** All changes from the finalized block to `blockHash` as one diff, to be written before `finalize`. */
  flatten(blockHash: Hash): StateDiff {
    return mergeDiffs(this.#pathTo(blockHash).map((hash) => this.#layerOf(hash).diff));
  }

  /** Makes `blockHash` the base: its ancestors' layers are gone, and so is every branch that lost. */
  finalize(blockHash: Hash): void {
    const settled = new Set(this.#pathTo(blockHash));
    const survivors = new Set([blockHash]);
    for (const [hash, parentHash] of this.#parents()) {
      if (!settled.has(hash) && survivors.has(parentHash)) survivors.add(hash);
      else this.#drop(hash);
    }
    this.#finalizedHash = blockHash;
  }

  /** Unfinalized blocks from the finalized one's child to `blockHash`. */
  #pathTo(blockHash: Hash): readonly Hash[] {
    const path: Hash[] = [];
    for (let hash = blockHash; hash !== this.#finalizedHash; ) {
      path.push(hash);
      const parentHash = this.#layers.get(hash)?.parentHash ?? this.#spilled.get(hash);
      assert(parentHash !== undefined, `${blockHash} descends from the finalized block`);
      hash = parentHash;
    }
    return path.reverse();
  }

  /** Every known layer with its parent, parents first: what is spilled is older than what is in memory. */
  #parents(): readonly (readonly [Hash, Hash])[] {
    const inMemory = [...this.#layers.values()].map((layer) => [layer.blockHash, layer.parentHash] as const);
    return [...this.#spilled, ...inMemory];
  }

  #layerOf(blockHash: Hash): Layer {
    const layer = this.#layers.get(blockHash) ?? this.#spill.get(blockHash);
    assert(layer !== undefined, `the layer of ${blockHash} is stored`);
    return layer;
  }

  #drop(blockHash: Hash): void {
    this.#layers.delete(blockHash);
    if (this.#spilled.delete(blockHash)) this.#spill.remove(blockHash);
  }
}

/** Diffs over a base, newest first. */
export class LayeredState implements StateStore {
  readonly #diffs: readonly StateDiff[];
  readonly #base: StateStore;

  constructor(diffs: readonly StateDiff[], base: StateStore) {
    this.#diffs = diffs;
    this.#base = base;
  }

  account(address: Address): Account | undefined {
    for (const { accounts } of this.#diffs) {
      const account = accounts.get(address);
      if (account !== undefined) return account ?? undefined;
    }
    return this.#base.account(address);
  }

  storage(address: Address, slot: Hash): bigint {
    for (const { storage } of this.#diffs) {
      const value = storage.get(address)?.get(slot);
      if (value !== undefined) return value;
    }
    return this.#base.storage(address, slot);
  }

  code(codeHash: Hash): Uint8Array | undefined {
    for (const { codes } of this.#diffs) {
      const code = codes.get(codeHash);
      if (code !== undefined) return code;
    }
    return this.#base.code(codeHash);
  }

  trieNode(owner: Hash | undefined, path: string): Uint8Array | undefined {
    for (const { trieNodes } of this.#diffs) {
      const node = trieNodes.get(owner ?? "")?.get(path);
      if (node !== undefined) return node ?? undefined;
    }
    return this.#base.trieNode(owner, path);
  }
}
