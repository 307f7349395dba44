import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { DatabaseError } from "../../node/storage/database-error.ts";
import { FinalizedState } from "../../node/storage/finalized-state.ts";
import { concatBytes, fromHex, toHex } from "../../primitives/bytes.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { emptyDiff, hashOf, ModelState, someDiff } from "./model-state.ts";

describe("history", () => {
  it("answers for every earlier block as that block's state answered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someDiff, { minLength: 1, maxLength: 12 }), async (diffs) => {
        await withScratchDatabase("execution", async (database) => {
          const state = new FinalizedState(database, { historyBlocks: Number.POSITIVE_INFINITY });
          const model = new ModelState();
          const models = diffs.map((diff, number) => {
            state.merge([{ number, hash: hashOf(number), diff }]);
            model.apply(diff);
            return model.copy();
          });
          for (const [number, past] of models.entries()) past.mustEqual(state.at(number));
        });
      }),
      { numRuns: 25 },
    );
  });

  it("lists the entries of every earlier block, in order and from any key on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someDiff, { minLength: 1, maxLength: 10 }),
        fc.nat({ max: 9 }),
        async (diffs, position) => {
          await withScratchDatabase("execution", async (database) => {
            const state = new FinalizedState(database, { historyBlocks: Number.POSITIVE_INFINITY });
            const listed = (
              number: number,
              table: "accounts" | "storage",
              from: Uint8Array = Uint8Array.of(0),
            ) =>
              [...state.entriesAt(number, table, from)].map(({ key, value }) => [toHex(key), toHex(value)]);
            const before: (readonly [string[][], string[][]])[] = [];
            for (const [number, diff] of diffs.entries()) {
              state.merge([{ number, hash: hashOf(number), diff }]);
              before.push([listed(number, "accounts"), listed(number, "storage")]);
            }
            for (const [number, [accounts, storage]] of before.entries()) {
              deepEqual([listed(number, "accounts"), listed(number, "storage")], [accounts, storage]);
              // A page goes on after the last key of the one before.
              const last = storage[position]?.[0];
              if (last === undefined) continue;
              const rest = listed(number, "storage", concatBytes(fromHex(last), Uint8Array.of(0)));
              deepEqual(rest, storage.slice(position + 1));
            }
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("goes on answering for a block while later ones are merged", async () => {
    await fc.assert(
      fc.asyncProperty(someDiff, fc.array(someDiff, { maxLength: 6 }), async (genesis, diffs) => {
        await withScratchDatabase("execution", async (database) => {
          const state = new FinalizedState(database);
          const model = new ModelState();
          state.merge([{ number: 0, hash: hashOf(0), diff: genesis }]);
          model.apply(genesis);
          const pinned = state.at(0);
          for (const [index, diff] of diffs.entries()) {
            state.merge([{ number: index + 1, hash: hashOf(index + 1), diff }]);
            model.mustEqual(pinned);
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it("keeps a window of blocks, says so below it, and leaves nothing of what it pruned", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someDiff, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 0, max: 6 }),
        async (diffs, historyBlocks) => {
          await withScratchDatabase("execution", async (database) => {
            const state = new FinalizedState(database, { historyBlocks });
            const model = new ModelState();
            const models = diffs.map((diff, number) => {
              state.merge([{ number, hash: hashOf(number), diff }]);
              model.apply(diff);
              return model.copy();
            });
            const last = diffs.length - 1;
            const oldest = Math.max(0, last - historyBlocks);
            equal(state.oldest(), oldest);
            for (let number = oldest; number <= last; number++) models[number]?.mustEqual(state.at(number));
            if (oldest > 0) {
              throws(
                () => state.at(oldest - 1),
                (error) => {
                  deepEqual((error as DatabaseError).detail, {
                    code: "STATE_PRUNED",
                    number: oldest - 1,
                    oldest,
                  });
                  return error instanceof DatabaseError;
                },
              );
            }
            if (historyBlocks === 0) {
              for (const name of ["account-history", "storage-history", "trie-history", "changes"]) {
                deepEqual([...database.table(name).range({})], []);
              }
            }
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("reaches a shortened window in bounded steps", async () => {
    await withScratchDatabase("execution", async (database) => {
      const archive = new FinalizedState(database, { historyBlocks: Number.POSITIVE_INFINITY });
      for (let number = 0; number <= 30; number++) {
        archive.merge([{ number, hash: hashOf(number), diff: emptyDiff }]);
      }
      const short = new FinalizedState(database, { historyBlocks: 2 });
      const oldest = [31, 32, 33, 34, 35].map((number) => {
        short.merge([{ number, hash: hashOf(number), diff: emptyDiff }]);
        return short.oldest();
      });
      deepEqual(oldest, [9, 18, 27, 32, 33]);
    });
  });
});
