import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { FinalizedState } from "../../node/storage/finalized-state.ts";
import { SpilledLayers } from "../../node/storage/spilled-layers.ts";
import type { Layer } from "../../vm/state/layers.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { hashOf, ModelState, someDiff } from "./model-state.ts";

/** Each layer's parent is an earlier one, or the finalized block 0. */
const someTree = fc.array(fc.tuple(someDiff, fc.nat()), { minLength: 1, maxLength: 10 }).map((layers) =>
  layers.map(([diff, pick], i): Layer => {
    // Mostly chains: two picks of three continue the layer before.
    const parent = pick % 3 === 0 ? pick % (i + 1) : i;
    return { blockHash: hashOf(i + 1), parentHash: hashOf(parent), diff };
  }),
);

describe("spilled layers", () => {
  it("read at every block as its ancestors' changes over the finalized state, also after a restart", async () => {
    await fc.assert(
      fc.asyncProperty(someDiff, someTree, fc.boolean(), async (genesis, layers, isRestarted) => {
        await withScratchDatabase("execution", async (database) => {
          const finalized = new FinalizedState(database);
          finalized.merge([{ number: 0, hash: hashOf(0), diff: genesis }]);
          const models = new Map([[hashOf(0), new ModelState()]]);
          models.get(hashOf(0))?.apply(genesis);

          let spilled = new SpilledLayers(database, finalized);
          for (const layer of layers) {
            spilled.put(layer);
            const model = models.get(layer.parentHash)!.copy();
            model.apply(layer.diff);
            models.set(layer.blockHash, model);
            model.mustEqual(spilled.at(layer.blockHash));
          }
          if (isRestarted) spilled = new SpilledLayers(database, finalized);
          for (const { blockHash } of layers) models.get(blockHash)!.mustEqual(spilled.at(blockHash));
        });
      }),
      { numRuns: 40 },
    );
  });

  it("give back whole layers, in order, and leave nothing when they are removed", async () => {
    await fc.assert(
      fc.asyncProperty(someDiff, someTree, async (genesis, layers) => {
        await withScratchDatabase("execution", async (database) => {
          const finalized = new FinalizedState(database);
          finalized.merge([{ number: 0, hash: hashOf(0), diff: genesis }]);
          const spilled = new SpilledLayers(database, finalized);
          for (const layer of layers) spilled.put(layer);
          for (const layer of layers) deepEqual(spilled.get(layer.blockHash), layer);
          const expected = layers.map(({ blockHash, parentHash }) => ({ blockHash, parentHash }));
          deepEqual(new SpilledLayers(database, finalized).blocks(), expected);

          for (const { blockHash } of layers) spilled.remove(blockHash);
          equal(spilled.get(hashOf(1)), undefined);
          deepEqual(spilled.blocks(), []);
          deepEqual([...database.table("spilled-values").range({})], []);
        });
      }),
      { numRuns: 20 },
    );
  });
});
