/** Fetches the blocks below the one a node began with, downwards, while it does everything else. See specs/node/checkpoint-sync.md#backfill. */
import type { Hash } from "../../primitives/bytes.ts";
import { MAX_REQUEST_BLOCKS } from "../network/messages.ts";
import type { PeerId } from "../network/network-port.ts";
import { readBatch } from "./block-batch.ts";
import type { SyncBlock } from "./sync-port.ts";

/** Between two tries while nobody can serve. */
const RETRY_MS = 5000;
/** Between two requests: a back-fill must not slow down what is new. */
const PAUSE_MS = 50;

export type BackfillPort<Block> = {
  readonly genesisRoot: Hash;
  /** The oldest block kept; undefined before there is one. */
  oldest(): SyncBlock<Block> | undefined;
  /** Stores blocks below it, ascending. */
  store(
    blocks: readonly { readonly root: Hash; readonly slot: number; readonly bytes: Uint8Array }[],
  ): Promise<void>;
  /** @throws when the bytes are no block. */
  readBlock(bytes: Uint8Array): SyncBlock<Block>;
  /** Who has blocks from this slot on. */
  peersWithBlocksFrom(slot: number): readonly PeerId[];
  requestBlocksByRange(
    peer: PeerId,
    request: { readonly startSlot: number; readonly count: number },
  ): Promise<readonly Uint8Array[]>;
  penalize(peer: PeerId, reason: "lie" | "unavailable"): void;
  pause(milliseconds: number): Promise<void>;
  isStopped(): boolean;
};

/** Resolves when the chain is whole down to genesis, or the node stops. */
export async function runBackfill<Block>(port: BackfillPort<Block>): Promise<void> {
  // Slots looked back over at once: more after a stretch without blocks.
  let windowSlots = MAX_REQUEST_BLOCKS;
  for (let turn = 0; !port.isStopped(); turn++) {
    const oldest = port.oldest();
    if (oldest === undefined || oldest.parentRoot === port.genesisRoot) return;
    const startSlot = Math.max(1, oldest.slot - windowSlots);
    const peers = port.peersWithBlocksFrom(startSlot);
    const peer = peers[turn % Math.max(1, peers.length)];
    const outcome = peer === undefined ? "unavailable" : await fetchBelow(port, oldest, startSlot, peer);
    if (outcome === "stored") windowSlots = MAX_REQUEST_BLOCKS;
    if (outcome === "gap") windowSlots *= 2;
    await port.pause(outcome === "unavailable" ? RETRY_MS : PAUSE_MS);
  }
}

/**
 * Blocks from `startSlot` up to below the oldest one. They are believed when they lead to it: its parent's root is
 * what was verified, and each block names the one before.
 */
async function fetchBelow<Block>(
  port: BackfillPort<Block>,
  oldest: SyncBlock<Block>,
  startSlot: number,
  peer: PeerId,
): Promise<"stored" | "gap" | "unavailable"> {
  const below: Fetched<Block>[] = [];
  for (let from = startSlot; ; ) {
    const batch = await request(port, from, peer);
    if (batch?.length === 0) port.penalize(peer, "unavailable");
    if (batch === undefined || batch.length === 0) return "unavailable";
    below.push(...batch.filter(({ slot }) => slot < oldest.slot));
    const last = below.at(-1);
    if (last === undefined) return "gap";
    if (last.root === oldest.parentRoot) break;
    // An answer may end early, for its size, and is gone on with; one that went past is of another chain.
    const isTooFar = batch.some(({ slot }) => slot >= oldest.slot);
    const previous = below[below.length - batch.length - 1];
    const isBroken = previous !== undefined && batch[0]?.parentRoot !== previous.root;
    if (isTooFar || isBroken) {
      port.penalize(peer, "lie");
      return "unavailable";
    }
    from = last.slot + 1;
  }
  await port.store(below);
  return "stored";
}

type Fetched<Block> = SyncBlock<Block> & { readonly bytes: Uint8Array };

/** Blocks that follow each other; undefined when the peer failed or lied, and was told so. */
async function request<Block>(
  port: BackfillPort<Block>,
  startSlot: number,
  peer: PeerId,
): Promise<readonly Fetched<Block>[] | undefined> {
  let chunks: readonly Uint8Array[];
  try {
    chunks = await port.requestBlocksByRange(peer, { startSlot, count: MAX_REQUEST_BLOCKS });
  } catch {
    // The network has scored it: another one is asked next.
    return undefined;
  }
  const batch = readBatch(chunks, startSlot, port.readBlock);
  if (batch === undefined) port.penalize(peer, "lie");
  return batch?.map((block, index) => ({ ...block, bytes: chunks[index] ?? new Uint8Array() }));
}
