/** The blocks this node can serve: finalized ones from disk, newer ones along its own head. See specs/network/sync.md#serving */
import type { Engine } from "../../consensus/engine-state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { BlockSource } from "../network/network-port.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { parentOfStoredBlock, slotOfStoredBlock } from "./block-codec.ts";

export function createBlockSource(engine: Engine, blocks: ConsensusBlocks): BlockSource {
  return {
    *blocksByRange(startSlot, count) {
      // A peer may ask for any uint64; what has not been is not looked up.
      if (startSlot > engine.store.nowSlot) return;
      // Chosen before the first is sent: head and finality go on meanwhile, and an answer with a gap is a lie.
      const finalizedEnd = (blocks.finality()?.slot ?? 0) + 1;
      const newer = chainToHead(engine, blocks, Math.max(startSlot, finalizedEnd));
      let sent = 0;
      for (const { bytes } of blocks.finalizedBlocks(startSlot, finalizedEnd)) {
        if (sent++ >= count) return;
        yield bytes;
      }
      for (const root of newer) {
        // Not on disk yet, or on a branch that lost in the meantime: then the answer ends before it.
        const bytes = blocks.get(root);
        if (sent++ >= count || bytes === undefined) return;
        yield bytes;
      }
    },
    blockByRoot: (root) => blocks.get(toHex(root)),
  };
}

type Link = { readonly slot: number; readonly parentRoot: Hash };

/**
 * Roots up to the head, at or after `startSlot`, oldest first. The tree forgets what is final before the disk has it
 * in its index: from there on the stored blocks themselves say what their parents are.
 */
function chainToHead(engine: Engine, blocks: ConsensusBlocks, startSlot: number): readonly Hash[] {
  const roots: Hash[] = [];
  let root: Hash = engine.store.headRoot;
  while (root !== engine.chain.genesisRoot) {
    const link: Link | undefined = engine.blocks.get(root) ?? storedLink(blocks, root);
    // Not committed yet and final already: what lies above would be an answer with a gap.
    if (link === undefined) return [];
    if (link.slot < startSlot) break;
    roots.push(root);
    root = link.parentRoot;
  }
  return roots.reverse();
}

function storedLink(blocks: ConsensusBlocks, root: Hash): Link | undefined {
  const bytes = blocks.get(root);
  return bytes && { slot: slotOfStoredBlock(bytes), parentRoot: parentOfStoredBlock(bytes) };
}
