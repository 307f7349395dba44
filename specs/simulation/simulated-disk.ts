/** What a node keeps over a crash: only what was synced. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";

/** The finalized state a restart begins with. */
export type Anchor = { readonly state: ConsensusState; readonly epoch: number; readonly root: Hash };

type Watermark = { source: number; target: number; proposedSlot: number };

export class SimulatedDisk {
  anchor: Anchor;
  justifiedAtSlot: number | undefined;
  readonly #blocks = new Map<Hash, SignedBeaconBlock>();
  readonly #unsynced = new Map<Hash, SignedBeaconBlock>();
  readonly #watermarks = new Map<number, Watermark>();

  constructor(anchor: Anchor) {
    this.anchor = anchor;
  }

  block(root: Hash): SignedBeaconBlock | undefined {
    return this.#unsynced.get(root) ?? this.#blocks.get(root);
  }

  /** Synced blocks above the anchor, parents first. */
  storedBlocks(): SignedBeaconBlock[] {
    return [...this.#blocks.values()]
      .filter(({ message }) => message.slot > this.anchor.state.slot)
      .sort((a, b) => a.message.slot - b.message.slot);
  }

  store(root: Hash, block: SignedBeaconBlock): void {
    this.#unsynced.set(root, block);
  }

  sync(): void {
    for (const [root, block] of this.#unsynced) this.#blocks.set(root, block);
    this.#unsynced.clear();
  }

  crash(): void {
    this.#unsynced.clear();
  }

  finalize(anchor: Anchor, prunedRoots: readonly Hash[]): void {
    this.sync();
    this.anchor = anchor;
    for (const root of prunedRoots) this.#blocks.delete(root);
  }

  /** Raises the watermark if it allows the vote (EIP-3076); synced at once, with every block it may depend on. */
  allowVote(validatorIndex: number, { source, target }: AttestationData): boolean {
    const watermark = this.#watermark(validatorIndex);
    if (source.epoch < watermark.source || target.epoch <= watermark.target) return false;
    watermark.source = source.epoch;
    watermark.target = target.epoch;
    this.sync();
    return true;
  }

  allowProposal(validatorIndex: number, slot: number): boolean {
    const watermark = this.#watermark(validatorIndex);
    if (slot <= watermark.proposedSlot) return false;
    watermark.proposedSlot = slot;
    return true;
  }

  #watermark(validatorIndex: number): Watermark {
    let watermark = this.#watermarks.get(validatorIndex);
    if (watermark === undefined) {
      watermark = { source: 0, target: 0, proposedSlot: 0 };
      this.#watermarks.set(validatorIndex, watermark);
    }
    return watermark;
  }

  /** Blocks of the chain that ends in `headRoot`, at or after a slot, ascending. */
  chainFrom(headRoot: Hash, fromSlot: number): SignedBeaconBlock[] {
    const chain: SignedBeaconBlock[] = [];
    for (let block = this.block(headRoot); block !== undefined; ) {
      if (block.message.slot < fromSlot) break;
      chain.push(block);
      block = this.block(toHex(block.message.parentRoot));
    }
    return chain.reverse();
  }
}
