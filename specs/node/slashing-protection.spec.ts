import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { openDatabase } from "../../node/storage/database.ts";
import { type AttestationToSign, SlashingProtection } from "../../node/storage/slashing-protection.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { hashOf } from "./model-state.ts";

const publicKey = `0x${"c0".repeat(48)}` as const;
const otherKey = `0x${"c1".repeat(48)}` as const;

function vote(sourceEpoch: number, targetEpoch: number, root = 0): AttestationToSign {
  return { publicKey, sourceEpoch, targetEpoch, signingRoot: hashOf(root) };
}

async function withProtection(body: (protection: SlashingProtection) => Promise<void>): Promise<void> {
  await withScratchDatabase("validator", (database) => body(new SlashingProtection(database)));
}

describe("slashing protection: attestations", () => {
  it("lets rising votes pass, and the same vote again", async () => {
    await withProtection(async (protection) => {
      deepEqual(await protection.checkAndInsertAttestations([vote(0, 1)]), [undefined]);
      deepEqual(await protection.checkAndInsertAttestations([vote(0, 1)]), [undefined]);
      deepEqual(await protection.checkAndInsertAttestations([vote(0, 2), vote(2, 3)]), [
        undefined,
        undefined,
      ]);
      deepEqual(protection.attestationWatermark(publicKey), {
        sourceEpoch: 2,
        targetEpoch: 3,
        signingRoot: hashOf(0),
      });
    });
  });

  it("refuses a double vote, a lower target, both kinds of surround vote, and a source after its target", async () => {
    await withProtection(async (protection) => {
      await protection.checkAndInsertAttestations([vote(3, 7)]);
      deepEqual(
        await protection.checkAndInsertAttestations([
          vote(3, 7, 1), //  double
          vote(3, 6), //     lower target
          vote(2, 8), //     surrounds 3 → 7
          vote(4, 6), //     surrounded by 3 → 7
          vote(9, 8), //     source after target
        ]),
        [
          { code: "ATTESTATION_TARGET_NOT_HIGHER", target: 7, signedTarget: 7 },
          { code: "ATTESTATION_TARGET_NOT_HIGHER", target: 6, signedTarget: 7 },
          { code: "ATTESTATION_SOURCE_LOWER", source: 2, signedSource: 3 },
          { code: "ATTESTATION_TARGET_NOT_HIGHER", target: 6, signedTarget: 7 },
          { code: "ATTESTATION_SOURCE_AFTER_TARGET", source: 9, target: 8 },
        ],
      );
      deepEqual(protection.attestationWatermark(publicKey), {
        sourceEpoch: 3,
        targetEpoch: 7,
        signingRoot: hashOf(0),
      });
    });
  });

  it("never lets two slashable votes of one key pass, in whatever order and batches they are asked for", async () => {
    const epoch = fc.integer({ min: 0, max: 6 });
    const someVote = fc
      .tuple(epoch, epoch, fc.integer({ min: 0, max: 1 }))
      .map(([s, t, root]) => vote(s, t, root));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(someVote, { maxLength: 4 }), { maxLength: 12 }), async (batches) => {
        await withProtection(async (protection) => {
          const asked = batches.map((batch) => protection.checkAndInsertAttestations(batch));
          const verdicts = await Promise.all(asked);
          const signed = batches.flatMap((batch, i) =>
            batch.filter((_, j) => verdicts[i]?.[j] === undefined),
          );
          for (const a of signed) {
            for (const b of signed) {
              const isDouble =
                a.targetEpoch === b.targetEpoch &&
                (a.signingRoot !== b.signingRoot || a.sourceEpoch !== b.sourceEpoch);
              const isSurround = a.sourceEpoch < b.sourceEpoch && b.targetEpoch < a.targetEpoch;
              equal(isDouble || isSurround, false);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it("judges each key alone", async () => {
    await withProtection(async (protection) => {
      await protection.checkAndInsertAttestations([vote(3, 7)]);
      const other = { ...vote(0, 1), publicKey: otherKey };
      deepEqual(await protection.checkAndInsertAttestations([other]), [undefined]);
    });
  });
});

describe("slashing protection: blocks", () => {
  it("lets rising slots pass, and the same block again; refuses another block and a lower slot", async () => {
    await withProtection(async (protection) => {
      const block = { publicKey, slot: 5, signingRoot: hashOf(1) };
      equal(await protection.checkAndInsertBlock(block), undefined);
      equal(await protection.checkAndInsertBlock(block), undefined);
      deepEqual(await protection.checkAndInsertBlock({ ...block, signingRoot: hashOf(2) }), {
        code: "BLOCK_SLOT_NOT_HIGHER",
        slot: 5,
        signedSlot: 5,
      });
      deepEqual(await protection.checkAndInsertBlock({ ...block, slot: 4 }), {
        code: "BLOCK_SLOT_NOT_HIGHER",
        slot: 4,
        signedSlot: 5,
      });
      equal(await protection.checkAndInsertBlock({ ...block, slot: 6 }), undefined);
    });
  });
});

describe("slashing protection: records", () => {
  it("are still there when the database is opened again", async () => {
    await withScratchDatabase("validator", async (database, options) => {
      const protection = new SlashingProtection(database);
      await protection.checkAndInsertAttestations([vote(3, 7)]);
      await protection.checkAndInsertBlock({ publicKey, slot: 9, signingRoot: hashOf(4) });
      await database.close();

      const again = await openDatabase(options);
      const reopened = new SlashingProtection(again);
      deepEqual(reopened.attestationWatermark(publicKey), {
        sourceEpoch: 3,
        targetEpoch: 7,
        signingRoot: hashOf(0),
      });
      deepEqual(reopened.blockWatermark(publicKey), { slot: 9, signingRoot: hashOf(4) });
      await again.close();
    });
  });

  it("are raised by an imported interchange and never lowered", async () => {
    await withProtection(async (protection) => {
      await protection.checkAndInsertAttestations([vote(3, 7)]);
      const imported = { sourceEpoch: 1, targetEpoch: 9, signingRoot: undefined };
      await protection.raiseWatermarks(publicKey, imported, { slot: 4, signingRoot: undefined });
      deepEqual(protection.attestationWatermark(publicKey), {
        sourceEpoch: 3,
        targetEpoch: 9,
        signingRoot: undefined,
      });
      deepEqual(await protection.checkAndInsertAttestations([vote(3, 9)]), [
        { code: "ATTESTATION_TARGET_NOT_HIGHER", target: 9, signedTarget: 9 },
      ]);
      await protection.raiseWatermarks(
        publicKey,
        { ...imported, targetEpoch: 8 },
        { slot: 3, signingRoot: hashOf(1) },
      );
      equal(protection.attestationWatermark(publicKey)?.targetEpoch, 9);
      deepEqual(protection.blockWatermark(publicKey), { slot: 4, signingRoot: undefined });
    });
  });
});
