import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FinalizedState } from "../../node/storage/finalized-state.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { accountOf, diffOf, emptyDiff, hashOf, ModelState, someDiff } from "./model-state.ts";

describe("finalized state", () => {
  it("reads what a plain map reads after the same merges, also when it is opened again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someDiff, { maxLength: 12 }), async (diffs) => {
        await withScratchDatabase("execution", async (database) => {
          const state = new FinalizedState(database);
          const model = new ModelState();
          for (const [number, diff] of diffs.entries()) {
            state.merge([{ number, hash: hashOf(number), diff }]);
            model.apply(diff);
          }
          model.mustEqual(state);
          model.mustEqual(new FinalizedState(database));
        });
      }),
      { numRuns: 25 },
    );
  });

  it("ends in the same state whether blocks are merged one by one or together", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someDiff, { minLength: 1, maxLength: 12 }), async (diffs) => {
        await withScratchDatabase("execution", async (database) => {
          const state = new FinalizedState(database);
          const model = new ModelState();
          for (const diff of diffs) model.apply(diff);
          state.merge(diffs.map((diff, number) => ({ number, hash: hashOf(number), diff })));
          model.mustEqual(state);
        });
      }),
      { numRuns: 25 },
    );
  });

  it("names the block it holds, and nothing before genesis", async () => {
    await withScratchDatabase("execution", async (database) => {
      const state = new FinalizedState(database);
      equal(state.finalized(), undefined);
      const diff = { ...emptyDiff, stateRoot: hashOf(77) };
      state.merge([{ number: 0, hash: hashOf(1), diff: emptyDiff }]);
      state.merge([{ number: 1, hash: hashOf(2), diff }]);
      deepEqual(state.finalized(), { number: 1, hash: hashOf(2), stateRoot: hashOf(77) });
    });
  });

  it("keeps every field of an account, however large or empty", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(accountOf, { minLength: 1, maxLength: 30 }), async (accounts) => {
        await withScratchDatabase("execution", async (database) => {
          const state = new FinalizedState(database);
          const named = accounts.map(
            (account, i) => [`0x${i.toString(16).padStart(40, "0")}`, account] as const,
          );
          state.merge([{ number: 0, hash: hashOf(0), diff: diffOf({ accounts: new Map(named) }) }]);
          for (const [address, account] of named) deepEqual(state.account(address), account);
        });
      }),
      { numRuns: 10 },
    );
  });

  it("is left as it was by a merge that fails half-way", async () => {
    await withScratchDatabase("execution", async (database) => {
      const state = new FinalizedState(database);
      const address = `0x${"11".repeat(20)}` as const;
      const account = { nonce: 1n, balance: 5n, storageRoot: hashOf(1), codeHash: hashOf(2) };
      const first = diffOf({ accounts: new Map([[address, account]]) });
      state.merge([{ number: 0, hash: hashOf(0), diff: first }]);

      const second = diffOf({ accounts: new Map([[address, { ...account, balance: 6n }]]) });
      const broken = diffOf({ codes: new Map([["0x1234" as Hash, new Uint8Array(1)]]) });
      throws(() =>
        state.merge([
          { number: 1, hash: hashOf(1), diff: second },
          { number: 2, hash: hashOf(2), diff: broken },
        ]),
      );
      deepEqual(state.account(address), account);
      deepEqual(state.at(0).account(address), account);
      equal(state.finalized()?.number, 0);
    });
  });

  it("refuses a gap between the block it holds and the next one", async () => {
    await withScratchDatabase("execution", async (database) => {
      const state = new FinalizedState(database);
      state.merge([{ number: 0, hash: hashOf(0), diff: emptyDiff }]);
      throws(() => state.merge([{ number: 2, hash: hashOf(2), diff: emptyDiff }]), /in order/);
    });
  });
});
