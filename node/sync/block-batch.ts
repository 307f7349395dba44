/** One answer to a range request, judged by itself: blocks that follow each other. See specs/network/sync.md#batches */
import type { SyncBlock } from "./sync-port.ts";

/**
 * The decoded blocks, or undefined when the answer is a lie whatever the chain: bytes that do not decode, a
 * slot before `startSlot` or not after the one before it, a parent that is not the block before it.
 */
export function readBatch<Block>(
  chunks: readonly Uint8Array[],
  startSlot: number,
  readBlock: (bytes: Uint8Array) => SyncBlock<Block>,
): readonly SyncBlock<Block>[] | undefined {
  const blocks: SyncBlock<Block>[] = [];
  for (const chunk of chunks) {
    const block = tryRead(chunk, readBlock);
    const previous = blocks.at(-1);
    if (block === undefined || block.slot < startSlot) return undefined;
    if (previous !== undefined && (block.slot <= previous.slot || block.parentRoot !== previous.root)) {
      return undefined;
    }
    blocks.push(block);
  }
  return blocks;
}

function tryRead<Block>(
  bytes: Uint8Array,
  readBlock: (bytes: Uint8Array) => SyncBlock<Block>,
): SyncBlock<Block> | undefined {
  try {
    return readBlock(bytes);
  } catch {
    return undefined;
  }
}
