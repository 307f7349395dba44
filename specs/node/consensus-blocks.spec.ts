import { deepEqual, equal } from "node:assert/strict";
import {
  type AnchorState,
  ConsensusBlocks,
  type FinalityRecord,
  type StoredBeaconBlock,
} from "../../node/storage/consensus-blocks.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { utf8ToBytes } from "../../primitives/bytes.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { hashOf } from "./model-state.ts";

/** `block("b2")` has slot 2; its root and bytes are derived from its name. */
function block(name: string): StoredBeaconBlock {
  const bytes = utf8ToBytes(name);
  return { slot: Number(name.slice(1)), root: hashOf(bytes[0]! * 1000 + Number(name.slice(1))), bytes };
}

async function withBlocks(
  names: readonly string[],
  body: (blocks: ConsensusBlocks) => Promise<void>,
): Promise<void> {
  await withScratchDatabase("consensus", async (database) => {
    const blocks = new ConsensusBlocks(database);
    for (const name of names) await blocks.record({ blocks: [block(name)] });
    await body(blocks);
  });
}

const finalize = (
  blocks: ConsensusBlocks,
  checkpoint: FinalityRecord,
  canonical: readonly StoredBeaconBlock[],
  anchor?: AnchorState,
) => blocks.record({ finality: { checkpoint, canonical, anchor } });

describe("consensus blocks", () => {
  it("lists unfinalized blocks by slot, in whatever order they came", async () => {
    await withBlocks(["b3", "b1", "c3", "b2"], async (blocks) => {
      const slots = [...blocks.unfinalizedBlocks()].map(({ slot }) => slot);
      deepEqual(slots, [1, 2, 3, 3]);
      deepEqual(blocks.get(block("c3").root), block("c3").bytes);
      equal(blocks.get(block("x9").root), undefined);
    });
  });

  it("at finality keeps the canonical chain and what is above it, and drops the rest", async () => {
    // b1 - b3 - b4
    //    \ c2     \ c5
    await withBlocks(["b1", "c2", "b3", "b4", "c5"], async (blocks) => {
      await finalize(blocks, { epoch: 3, root: block("b3").root, slot: 3 }, [block("b1"), block("b3")]);
      deepEqual(blocks.finality(), { epoch: 3, root: block("b3").root, slot: 3 });
      deepEqual([...blocks.finalizedBlocks(0, 10)], [block("b1"), block("b3")]);
      deepEqual([...blocks.finalizedBlocks(2, 3)], []);
      deepEqual([...blocks.unfinalizedBlocks()], [block("b4"), block("c5")]);
      equal(blocks.get(block("c2").root), undefined);
      equal(blocks.finalizedRootAt(3), block("b3").root);
      equal(blocks.finalizedRootAt(2), undefined);
      equal(blocks.earliestAvailableSlot(), 1);
    });
  });

  it("takes blocks and the finality they bring in one record", async () => {
    await withBlocks([], async (blocks) => {
      const checkpoint = { epoch: 2, root: block("b2").root, slot: 2 };
      await blocks.record({
        blocks: [block("b1"), block("c1"), block("b2"), block("b3")],
        finality: { checkpoint, canonical: [block("b1"), block("b2")] },
      });
      deepEqual([...blocks.finalizedBlocks(0, 10)], [block("b1"), block("b2")]);
      deepEqual([...blocks.unfinalizedBlocks()], [block("b3")]);
      equal(blocks.get(block("c1").root), undefined);
    });
  });

  it("keeps the last state to start from until a newer one is given", async () => {
    await withBlocks(["b1", "b2"], async (blocks) => {
      equal(blocks.anchor(), undefined);
      const anchor = { root: block("b1").root, slot: 1, epoch: 1, bytes: new Uint8Array(300_000).fill(5) };
      await finalize(blocks, { epoch: 1, root: block("b1").root, slot: 1 }, [block("b1")], anchor);
      await finalize(blocks, { epoch: 2, root: block("b2").root, slot: 2 }, [block("b2")]);
      deepEqual(blocks.anchor(), anchor);
      const newer = { root: block("b2").root, slot: 2, epoch: undefined, bytes: new Uint8Array(10) };
      await finalize(blocks, { epoch: 2, root: block("b2").root, slot: 2 }, [], newer);
      deepEqual(blocks.anchor(), newer);
    });
  });

  it("takes back-filled blocks below the first finalized one", async () => {
    await withBlocks(["b7"], async (blocks) => {
      await finalize(blocks, { epoch: 7, root: block("b7").root, slot: 7 }, [block("b7")]);
      await blocks.putFinalized([block("b5"), block("b6")]);
      deepEqual([...blocks.finalizedBlocks(0, 8)], [block("b5"), block("b6"), block("b7")]);
      equal(blocks.earliestAvailableSlot(), 5);
    });
  });

  it("remembers finality and justification when it is opened again", async () => {
    await withScratchDatabase("consensus", async (database, options) => {
      const blocks = new ConsensusBlocks(database);
      equal(blocks.justification(), undefined);
      equal(blocks.finality(), undefined);
      const justification = { epoch: 4, root: hashOf(4), proofRoot: hashOf(5), justifiedAtSlot: 6 };
      await blocks.record({ justification });
      await finalize(blocks, { epoch: 3, root: hashOf(3), slot: 2 }, []);
      await database.close();

      const again = await openDatabase(options);
      const reopened = new ConsensusBlocks(again);
      deepEqual(reopened.justification(), justification);
      deepEqual(reopened.finality(), { epoch: 3, root: hashOf(3), slot: 2 });
      await again.close();
    });
  });
});
