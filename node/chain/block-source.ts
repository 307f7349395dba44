/** The blocks this node can serve: finalized ones from disk, newer ones along its own head. */
import type { Engine } from "../../consensus/engine-state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { BlockSource } from "../network/network-port.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";

export function createBlockSource(engine: Engine, blocks: ConsensusBlocks): BlockSource {
  return {
    *blocksByRange(startSlot, count) {
      // A peer may ask for any uint64; what has not been is not looked up.
      if (startSlot > engine.store.nowSlot) return;
      let sent = 0;
      const finalizedSlot = blocks.finality()?.slot ?? 0;
      for (const { bytes } of blocks.finalizedBlocks(startSlot, finalizedSlot + 1)) {
        if (sent++ >= count) return;
        yield bytes;
      }
      for (const root of unfinalizedChain(engine, startSlot)) {
        // A block may be in the tree a moment before it is on disk: then the answer ends before it.
        const bytes = blocks.get(root);
        if (sent++ >= count || bytes === undefined) return;
        yield bytes;
      }
    },
    blockByRoot: (root) => blocks.get(toHex(root)),
  };
}

/** Roots from the finalized block (not included) to the head, at or after `startSlot`, oldest first. */
function unfinalizedChain({ store, blocks }: Engine, startSlot: number) {
  const roots: Hash[] = [];
  for (let block = blocks.get(store.headRoot); block !== undefined; block = blocks.get(block.parentRoot)) {
    if (block.root === store.finalized.root || block.slot < startSlot) break;
    roots.push(block.root);
  }
  return roots.reverse();
}
