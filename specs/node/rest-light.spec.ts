import { deepEqual, equal, match } from "node:assert/strict";
import { verifyFinalizedBlock } from "../../light/light-client.ts";
import type { LightError } from "../../light/light-error.ts";
import { proveValidatorSet } from "../../light/set-change.ts";
import { validatorSetRoot } from "../../light/validator-set.ts";
import { decodeFinalizedBlock, decodeSetProof, decodeValidatorSet } from "../../light/wire.ts";
import { toHex } from "../../primitives/bytes.ts";
import { wholeChain, withRest } from "./rest-fixture.ts";

type Answered = { readonly data: Record<string, unknown>; readonly message?: string };

describe("what light clients ask for", function () {
  this.timeout(60_000);

  it("is there once something is final", async () => {
    await withRest(4, async ({ bench, grow, get }) => {
      const early = await get("/jurat/v1/light/finalized_block");
      equal(early.status, 503);
      match((early.body as Answered).message ?? "", /two thirds of that set have not voted/);

      await grow(wholeChain(bench, 40).slice(1));
      const { root, set: json } = ((await get("/jurat/v1/light/validator_set?period=0")).body as Answered)
        .data;
      const set = decodeValidatorSet(json);
      equal(toHex(validatorSetRoot(set)), root);

      const change = ((await get("/jurat/v1/light/set_change?period=0")).body as Answered).data;
      const block = decodeFinalizedBlock(change["block"]);
      deepEqual(
        decodeFinalizedBlock(((await get("/jurat/v1/light/finalized_block?period=0")).body as Answered).data),
        block,
      );
      // The signatures of this chain are stand-ins: everything before them was believed.
      try {
        verifyFinalizedBlock(block, set, validatorSetRoot(set));
      } catch (error) {
        equal((error as LightError).detail.code, "LIGHT_WRONG_SIGNATURE");
      }
      const next = proveValidatorSet(decodeSetProof(change["proof"]), block.header, set);
      const newest = ((await get("/jurat/v1/light/validator_set")).body as Answered).data;
      equal(next.period, 1);
      equal(toHex(validatorSetRoot(next)), newest["root"]);
    });
  });

  it("is refused for a period that is not kept", async () => {
    await withRest(2, async ({ get }) => {
      for (const [query, status] of [
        ["period=1", 404],
        ["period=x", 400],
        ["period=-1", 400],
      ] as const) {
        equal((await get(`/jurat/v1/light/validator_set?${query}`)).status, status);
        equal((await get(`/jurat/v1/light/finalized_block?${query}`)).status, status);
      }
    });
  });
});
