/** Signed beacon blocks, the record of finality and the state to start from. See specs/node/storage.md#consensus. */
import {
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp } from "../../primitives/rlp.ts";
import type { Database, Table } from "./database.ts";
import { hashKey, numberFromKey, numberKey } from "./state-codec.ts";

/** A SignedBeaconBlock as SSZ bytes; its root is the block's root. */
export type StoredBeaconBlock = { readonly root: Hash; readonly slot: number; readonly bytes: Uint8Array };

/** The last finalized checkpoint and the slot of its block. */
export type FinalityRecord = { readonly epoch: number; readonly root: Hash; readonly slot: number };

/** A finalized state to start from: BeaconState as SSZ bytes, right after the block `root`. */
export type AnchorState = {
  readonly root: Hash;
  readonly slot: number;
  /** Of the checkpoint; undefined in a record of before it was kept. */
  readonly epoch: number | undefined;
  readonly bytes: Uint8Array;
};

/** The store's justified checkpoint, the block that proved it and the slot in which this node saw it. */
export type JustificationRecord = {
  readonly epoch: number;
  readonly root: Hash;
  readonly proofRoot: Hash;
  readonly justifiedAtSlot: number;
};

/** A checkpoint became final. */
export type FinalityChange = {
  readonly checkpoint: FinalityRecord;
  /** The blocks from the previous finalized one (excluded) to this one (included). */
  readonly canonical: readonly { readonly slot: number; readonly root: Hash }[];
  /** A newer state to start from; without it the old one stays and the blocks since are replayed at start. */
  readonly anchor?: AnchorState | undefined;
};

/** What happened between two commits, in this order; of justification and finality the last word. */
export type ChainRecord = {
  /** Unfinalized ones. */
  readonly blocks?: readonly StoredBeaconBlock[];
  readonly justification?: JustificationRecord | undefined;
  readonly finality?: FinalityChange | undefined;
};

const FINALITY = utf8ToBytes("finality");
const ANCHOR = utf8ToBytes("anchor");
const ANCHOR_STATE = utf8ToBytes("anchor-state");
const JUSTIFICATION = utf8ToBytes("justification");

/** The consensus side's disk. Every block is unfinalized (by slot ‖ root) or canonical (by slot), never both. */
export class ConsensusBlocks {
  readonly #database: Database;
  readonly #blocks: Table;
  readonly #canonical: Table;
  readonly #unfinalized: Table;
  readonly #records: Table;

  constructor(database: Database) {
    this.#database = database;
    this.#blocks = database.table("beacon-blocks");
    this.#canonical = database.table("beacon-canonical");
    this.#unfinalized = database.table("beacon-unfinalized");
    this.#records = database.table("beacon-records");
  }

  get(root: Hash): Uint8Array | undefined {
    return this.#blocks.get(hashKey(root));
  }

  /**
   * Puts down what happened, all of it or nothing, in one commit: when it resolves, a killed process still has it.
   * Finality is on disk by then, so that the execution side, which may be told only afterwards, never leads.
   */
  async record({ blocks = [], justification, finality }: ChainRecord): Promise<void> {
    if (blocks.length === 0 && justification === undefined && finality === undefined) return;
    await this.#database.commit(() => {
      for (const { root, slot, bytes } of blocks) {
        this.#blocks.put(hashKey(root), bytes);
        this.#unfinalized.put(concatBytes(numberKey(slot), hashKey(root)), EMPTY_BYTES);
      }
      if (justification !== undefined) this.#putJustification(justification);
      if (finality !== undefined) this.#finalize(finality);
    });
    if (finality !== undefined) await this.#database.flushed();
  }

  /** Stores blocks below the finalized one, as a back-fill fetches them. */
  async putFinalized(blocks: readonly StoredBeaconBlock[]): Promise<void> {
    await this.#database.commit(() => {
      for (const { root, slot, bytes } of blocks) {
        this.#blocks.put(hashKey(root), bytes);
        this.#canonical.put(numberKey(slot), hashKey(root));
      }
    });
  }

  /** Root of the finalized block at `slot`; undefined for an empty slot and above the finalized one. */
  finalizedRootAt(slot: number): Hash | undefined {
    const root = this.#canonical.get(numberKey(slot));
    return root === undefined ? undefined : toHex(root);
  }

  /** Finalized blocks with first <= slot < end, ascending. */
  *finalizedBlocks(first: number, end: number): Iterable<StoredBeaconBlock> {
    for (const { key, value } of this.#canonical.range({ from: numberKey(first), to: numberKey(end) })) {
      yield this.#stored(numberFromKey(key), toHex(value));
    }
  }

  /** Slot of the oldest finalized block kept: what `status` advertises. */
  earliestAvailableSlot(): number | undefined {
    for (const { key } of this.#canonical.range({ limit: 1 })) return numberFromKey(key);
    return undefined;
  }

  /** Whether this node has seen no block of the chain yet but genesis, which is not stored. */
  isEmpty(): boolean {
    for (const _ of this.#unfinalized.range({ limit: 1 })) return false;
    return this.finality() === undefined;
  }

  /** The oldest finalized block kept. */
  oldestFinalized(): StoredBeaconBlock | undefined {
    for (const { key, value } of this.#canonical.range({ limit: 1 })) {
      return this.#stored(numberFromKey(key), toHex(value));
    }
    return undefined;
  }

  /** Every unfinalized block by ascending slot, so that a block's parent comes before it. */
  *unfinalizedBlocks(): Iterable<StoredBeaconBlock> {
    for (const { key } of this.#unfinalized.range({})) {
      yield this.#stored(numberFromKey(key), toHex(key.subarray(numberKey(0).length)));
    }
  }

  finality(): FinalityRecord | undefined {
    const fields = this.#record(FINALITY);
    if (fields === undefined) return undefined;
    return { epoch: asNumber(fields[0]), root: asHash(fields[1]), slot: asNumber(fields[2]) };
  }

  anchor(): AnchorState | undefined {
    const fields = this.#record(ANCHOR);
    const bytes = this.#records.get(ANCHOR_STATE);
    if (fields === undefined || bytes === undefined) return undefined;
    const epoch = fields[2] === undefined ? undefined : asNumber(fields[2]);
    return { root: asHash(fields[0]), slot: asNumber(fields[1]), epoch, bytes };
  }

  justification(): JustificationRecord | undefined {
    const fields = this.#record(JUSTIFICATION);
    if (fields === undefined) return undefined;
    const [epoch, root, proofRoot, justifiedAtSlot] = fields;
    return {
      epoch: asNumber(epoch),
      root: asHash(root),
      proofRoot: asHash(proofRoot),
      justifiedAtSlot: asNumber(justifiedAtSlot),
    };
  }

  #putJustification({ epoch, root, proofRoot, justifiedAtSlot }: JustificationRecord): void {
    this.#records.put(
      JUSTIFICATION,
      encodeRlp([numberKey(epoch), hashKey(root), hashKey(proofRoot), numberKey(justifiedAtSlot)]),
    );
  }

  /** `canonical` becomes the index by slot, every other unfinalized block up to its slot goes. */
  #finalize({ checkpoint, canonical, anchor }: FinalityChange): void {
    const isCanonical = new Set(canonical.map(({ root }) => root));
    for (const { key } of [...this.#unfinalized.range({ to: numberKey(checkpoint.slot + 1) })]) {
      const rootKey = key.subarray(numberKey(0).length);
      if (!isCanonical.has(toHex(rootKey))) this.#blocks.remove(rootKey);
      this.#unfinalized.remove(key);
    }
    for (const { slot, root } of canonical) this.#canonical.put(numberKey(slot), hashKey(root));
    this.#records.put(
      FINALITY,
      encodeRlp([numberKey(checkpoint.epoch), hashKey(checkpoint.root), numberKey(checkpoint.slot)]),
    );
    if (anchor === undefined) return;
    const epoch = anchor.epoch === undefined ? [] : [numberKey(anchor.epoch)];
    this.#records.put(ANCHOR, encodeRlp([hashKey(anchor.root), numberKey(anchor.slot), ...epoch]));
    this.#records.put(ANCHOR_STATE, anchor.bytes);
  }

  #stored(slot: number, root: Hash): StoredBeaconBlock {
    const bytes = this.get(root);
    assert(bytes !== undefined, "an indexed beacon block is stored");
    return { root, slot, bytes };
  }

  #record(name: Uint8Array): readonly Uint8Array[] | undefined {
    const value = this.#records.get(name);
    return value === undefined ? undefined : (decodeRlp(value) as readonly Uint8Array[]);
  }
}

function asNumber(field: Uint8Array | undefined): number {
  assert(field !== undefined, "a stored record is whole");
  return Number(bytesToBigInt(field));
}

function asHash(field: Uint8Array | undefined): Hash {
  assert(field !== undefined, "a stored record is whole");
  return toHex(field);
}
