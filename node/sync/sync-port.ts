/** The border of sync: peers on one side, the chain on the other. See specs/network/sync.md */
import type { Hash } from "../../primitives/bytes.ts";
import type { BlockRequester, PeerId } from "../network/network-port.ts";
import type { PenaltyReason } from "../network/peer-score.ts";

/** A decoded block with what sync judges it by. */
export interface SyncBlock<Block> {
  readonly slot: number;
  /** Block root, computed from the bytes. */
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly block: Block;
}

/** What became of a block that was handed to the chain. */
export type ImportOutcome = "imported" | "known" | "waiting" | "unknownParent" | "invalid" | "ignored";

export interface SyncPort<Block> extends BlockRequester {
  /** @throws anything when the bytes are not a SignedBeaconBlock. */
  readBlock(bytes: Uint8Array): SyncBlock<Block>;
  /** Resolves when the block was processed; sync hands over the next one only then. */
  importBlock(block: SyncBlock<Block>, peer: PeerId): Promise<ImportOutcome>;
  /** Blocks that come next, each on the one before: a hint, what can be done for them ahead may begin. */
  prepare(blocks: readonly SyncBlock<Block>[]): void;
  isKnown(root: Hash): boolean;
  /** Peers whose status claims a head at or beyond the slot. */
  peersWithHeadAt(slot: number): readonly PeerId[];
  penalize(peer: PeerId, reason: PenaltyReason): void;
}
