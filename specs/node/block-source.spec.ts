import { deepEqual, equal } from "node:assert/strict";
import { containersOf } from "../../consensus/chain-containers.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { createBlockSource } from "../../node/chain/block-source.ts";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import {
  createWorkbench,
  importAll,
  type MadeBlock,
  makeBlock,
  SLOT_MS,
  startEngine,
  votedChain,
} from "../support/lone-engine.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

describe("blocks for a peer", () => {
  const LAST = 8;
  const bench = createWorkbench(4);
  const codec = createBlockCodec(containersOf(bench.params));
  const chain = votedChain(bench, [makeBlock(bench, bench.genesis, 1)], LAST);
  const slots = (answer: Iterable<Uint8Array>) =>
    [...answer].map((bytes) => codec.decode(bytes).message.slot);

  /** A node whose tree is ahead of the finality its disk knows. */
  async function withNode(body: (node: ReturnType<typeof nodeOn>) => Promise<void>): Promise<void> {
    await withScratchDatabase("consensus", async (database) => {
      const blocks = new ConsensusBlocks(database);
      for (const { root, signed } of chain) {
        const block = { root, slot: signed.message.slot, bytes: codec.encode(signed) };
        await blocks.record({ blocks: [block] });
      }
      await body(nodeOn(blocks));
    });
  }
  function nodeOn(blocks: ConsensusBlocks) {
    const engine = startEngine(bench, { nowMs: LAST * SLOT_MS });
    importAll(engine, chain);
    const stored = ({ root, signed }: MadeBlock) => ({ root, slot: signed.message.slot });
    return {
      ...{ engine, source: createBlockSource(engine, blocks) },
      finalizeOnDisk(slot: number) {
        const canonical = chain.map(stored).filter((block) => block.slot <= slot);
        return blocks.record({
          finality: { checkpoint: { epoch: slot + 1, ...canonical.at(-1)! }, canonical },
        });
      },
    };
  }

  it("are one chain while the disk does not know yet what is final", async () => {
    await withNode(async ({ engine, source, finalizeOnDisk }) => {
      equal(engine.blocks.has(chain[1]!.root), false, "the tree has let go of it");
      deepEqual(slots(source.blocksByRange(1, 64)), [1, 2, 3, 4, 5, 6, 7, 8]);
      await finalizeOnDisk(2);
      deepEqual(slots(source.blocksByRange(1, 64)), [1, 2, 3, 4, 5, 6, 7, 8]);
      deepEqual(slots(source.blocksByRange(2, 3)), [2, 3, 4]);
      deepEqual(slots(source.blocksByRange(5, 2)), [5, 6]);
      deepEqual(slots(source.blocksByRange(LAST + 1, 64)), []);
    });
  });

  it("are one chain while finality goes on during the answer", async () => {
    await withNode(async ({ source, finalizeOnDisk }) => {
      const sent: number[] = [];
      for (const bytes of source.blocksByRange(1, 64)) {
        sent.push(codec.decode(bytes).message.slot);
        if (sent.length <= 5) await finalizeOnDisk(sent.length);
      }
      deepEqual(sent, [1, 2, 3, 4, 5, 6, 7, 8]);
    });
  });

  it("are none while what lies below them is final already and not yet on disk", async () => {
    await withScratchDatabase("consensus", async (database) => {
      const { source } = nodeOn(new ConsensusBlocks(database));
      deepEqual(slots(source.blocksByRange(1, 64)), []);
    });
  });
});
