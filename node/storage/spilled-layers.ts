/** Layers that memory has no room for while finality stalls. See specs/node/storage.md#spilled-layers. */
import {
  bigIntToMinimalBytes,
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  type Hash,
  toHex,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { StateDiff, StateStore } from "../../vm/state/account.ts";
import type { Layer, LayerSpill } from "../../vm/state/layers.ts";
import type { Database, Table } from "./database.ts";
import { decodeLayer, encodeLayer } from "./layer-codec.ts";
import {
  accountKey,
  atBlock,
  decodeAccount,
  encodeAccount,
  hashKey,
  isDatedKeyOf,
  NUMBER_BYTES,
  numberFromKey,
  numberKey,
  slotKey,
  trieNodeKey,
} from "./state-codec.ts";

const HASH_BYTES = 32;

/** First byte of a value's key: what kind of state it belongs to. */
const ACCOUNT = 0;
const STORAGE = 1;
const CODE = 2;
const TRIE_NODE = 3;

/** A spilled block with all its spilled ancestors. */
type Lineage = { readonly tip: Hash; readonly members: Set<Hash> };

/**
 * Every layer whole, by block, and each of its values by key ‖ sequence number.
 *
 * Layers get rising sequence numbers and parents come before children, so the value of a key after a block is
 * the entry with the highest number up to that block's whose block is an ancestor: one seek on a single
 * chain, one step more for every fork that changed the same key.
 */
export class SpilledLayers implements LayerSpill {
  readonly #database: Database;
  readonly #layers: Table;
  readonly #values: Table;
  readonly #finalized: StateStore;
  /** Sequence number and parent of each spilled block, in order. */
  readonly #blocks = new Map<Hash, { readonly sequence: number; readonly parentHash: Hash }>();
  #nextSequence = 0;
  #lineage: Lineage | undefined;

  /** @param finalized the state below all layers. */
  constructor(database: Database, finalized: StateStore) {
    this.#database = database;
    this.#layers = database.table("spilled-layers");
    this.#values = database.table("spilled-values");
    this.#finalized = finalized;
    const stored = [...this.#layers.range({})].map(({ key, value }) => ({
      blockHash: toHex(key),
      sequence: numberFromKey(value),
      parentHash: decodeLayer(toHex(key), value.subarray(NUMBER_BYTES)).parentHash,
    }));
    for (const { blockHash, sequence, parentHash } of stored.sort((a, b) => a.sequence - b.sequence)) {
      this.#blocks.set(blockHash, { sequence, parentHash });
      this.#nextSequence = sequence + 1;
    }
  }

  /** The spilled blocks with their parents, parents first: what a restart begins with. */
  blocks(): readonly { readonly blockHash: Hash; readonly parentHash: Hash }[] {
    return [...this.#blocks].map(([blockHash, { parentHash }]) => ({ blockHash, parentHash }));
  }

  put(layer: Layer): void {
    const sequence = this.#nextSequence++;
    this.#database.write(() => {
      this.#layers.put(hashKey(layer.blockHash), concatBytes(numberKey(sequence), encodeLayer(layer)));
      const blockHash = hashKey(layer.blockHash);
      for (const [key, value] of valuesOf(layer.diff)) {
        this.#values.put(atBlock(key, sequence), concatBytes(blockHash, value));
      }
    });
    this.#blocks.set(layer.blockHash, { sequence, parentHash: layer.parentHash });
  }

  get(blockHash: Hash): Layer | undefined {
    const stored = this.#layers.get(hashKey(blockHash));
    return stored === undefined ? undefined : decodeLayer(blockHash, stored.subarray(NUMBER_BYTES));
  }

  remove(blockHash: Hash): void {
    const layer = this.get(blockHash);
    const block = this.#blocks.get(blockHash);
    if (layer === undefined || block === undefined) return;
    this.#database.write(() => {
      for (const [key] of valuesOf(layer.diff)) this.#values.remove(atBlock(key, block.sequence));
      this.#layers.remove(hashKey(blockHash));
    });
    this.#blocks.delete(blockHash);
    this.#lineage = undefined;
  }

  at(blockHash: Hash): StateStore {
    const block = this.#blocks.get(blockHash);
    assert(block !== undefined, `the layer of ${blockHash} is spilled`);
    const { members } = this.#lineageOf(blockHash);
    const read = <T>(kind: number, key: Uint8Array, found: (value: Uint8Array) => T, below: () => T): T => {
      const value = this.#newest(tagged(kind, key), block.sequence, members);
      return value === undefined ? below() : found(value);
    };
    return {
      account: (address) =>
        read(ACCOUNT, accountKey(address), orNothing(decodeAccount), () => this.#finalized.account(address)),
      storage: (address, slot) =>
        read(STORAGE, slotKey(address, slot), bytesToBigInt, () => this.#finalized.storage(address, slot)),
      code: (codeHash) =>
        read(CODE, hashKey(codeHash), orNothing(asIs), () => this.#finalized.code(codeHash)),
      trieNode: (owner, path) =>
        read(TRIE_NODE, trieNodeKey(owner, path), orNothing(asIs), () =>
          this.#finalized.trieNode(owner, path),
        ),
    };
  }

  /** The newest value written by one of `members` up to `sequence`; empty when it was removed. */
  #newest(key: Uint8Array, sequence: number, members: ReadonlySet<Hash>): Uint8Array | undefined {
    const range = { from: atBlock(key, 0), to: atBlock(key, sequence + 1), reverse: true };
    for (const entry of this.#values.range(range)) {
      if (!isDatedKeyOf(entry.key, key)) continue;
      if (members.has(toHex(entry.value.subarray(0, HASH_BYTES)))) return entry.value.subarray(HASH_BYTES);
    }
    return undefined;
  }

  /** Mostly the lineage asked for last, or its child's. */
  #lineageOf(tip: Hash): Lineage {
    if (this.#lineage?.tip === tip) return this.#lineage;
    // Whoever still reads at the parent is not disturbed: the child's values have a higher sequence number.
    const extended =
      this.#lineage?.tip === this.#blocks.get(tip)?.parentHash ? this.#lineage?.members : undefined;
    const members = extended ?? new Set<Hash>();
    for (let hash = tip; !members.has(hash); ) {
      const block = this.#blocks.get(hash);
      if (block === undefined) break;
      members.add(hash);
      hash = block.parentHash;
    }
    this.#lineage = { tip, members };
    return this.#lineage;
  }
}

function* valuesOf(diff: StateDiff): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
  for (const [address, account] of diff.accounts) {
    yield [tagged(ACCOUNT, accountKey(address)), account === null ? EMPTY_BYTES : encodeAccount(account)];
  }
  for (const [address, slots] of diff.storage) {
    for (const [slot, value] of slots) {
      yield [tagged(STORAGE, slotKey(address, slot)), bigIntToMinimalBytes(value)];
    }
  }
  for (const [codeHash, code] of diff.codes) yield [tagged(CODE, hashKey(codeHash)), code];
  for (const [owner, nodes] of diff.trieNodes) {
    for (const [path, node] of nodes) {
      yield [tagged(TRIE_NODE, trieNodeKey(owner === "" ? undefined : owner, path)), node ?? EMPTY_BYTES];
    }
  }
}

function tagged(kind: number, key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind), key);
}

function asIs(value: Uint8Array): Uint8Array {
  return value;
}

function orNothing<T>(decode: (value: Uint8Array) => T): (value: Uint8Array) => T | undefined {
  return (value) => (value.length === 0 ? undefined : decode(value));
}
