import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../node/storage/database.ts";
import { type SigningRefusal, SlashingProtection } from "../../node/storage/slashing-protection.ts";
import { loadKeyring, type ValidatorKey } from "../../node/validator/keyring.ts";
import { createSigner } from "../../node/validator/signer.ts";
import { blsVerify } from "../../primitives/bls.ts";
import { fromHex, type Hex, ZERO_HASH } from "../../primitives/bytes.ts";
import { blockWish } from "./keymanager-fixture.ts";

describe("the signer", () => {
  let keyring: Map<Hex, ValidatorKey>;
  let publicKeys: Hex[];
  const signingRoot = new Uint8Array(32).fill(7);
  let dir: string;
  let database: Database;
  let refusals: SigningRefusal["code"][];
  let asked: unknown[];

  beforeEach(async () => {
    keyring = await loadKeyring({ interop: { first: 0, last: 1 }, keystores: undefined });
    publicKeys = [...keyring.keys()];
    dir = mkdtempSync(join(tmpdir(), "jurat-signer-"));
    database = await openDatabase({ directory: dir, role: "consensus", chain: ZERO_HASH });
    refusals = [];
    asked = [];
  });
  afterEach(async () => {
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const signer = () =>
    createSigner({
      keyring,
      protection: new SlashingProtection(database),
      signRemotely: async (url, publicKey, message) => {
        asked.push([url, publicKey, message.type]);
        return new Uint8Array(96).fill(9);
      },
      publicKeyOf: (index): Hex | undefined => publicKeys[index],
      onRefused: (_publicKey, refusal) => refusals.push(refusal.code),
    });

  const vote = (source: number, target: number, indices = [0, 1]) => ({
    type: "signAttestation" as const,
    id: 1,
    validatorIndices: indices,
    data: {
      slot: target,
      index: 0,
      beaconBlockRoot: new Uint8Array(32),
      source: { epoch: source, root: new Uint8Array(32) },
      target: { epoch: target, root: new Uint8Array(32) },
    },
    signingRoot: new Uint8Array(32).fill(target),
    proofRoot: ZERO_HASH,
  });

  it("gives each of its keys a signature that verifies, and none to a validator it has no key of", async () => {
    const signatures = await signer().signAttestation(vote(0, 1, [0, 1, 2]));
    equal(signatures.length, 3);
    for (const index of [0, 1]) {
      equal(blsVerify(fromHex(publicKeys[index]!), new Uint8Array(32).fill(1), signatures[index]!), true);
    }
    equal(signatures[2], undefined);
  });

  it("signs no double vote, no surrounding and no surrounded vote, and says so", async () => {
    await signer().signAttestation(vote(3, 5));
    for (const [source, target] of [
      [3, 5],
      [2, 6],
      [4, 4],
    ] as const) {
      const wish = vote(source, target, [0]);
      const other = { ...wish, signingRoot: new Uint8Array(32).fill(99) };
      deepEqual(await signer().signAttestation(other), [undefined]);
    }
    deepEqual(refusals, [
      "ATTESTATION_TARGET_NOT_HIGHER",
      "ATTESTATION_SOURCE_LOWER",
      "ATTESTATION_TARGET_NOT_HIGHER",
    ]);
  });

  it("asks a signer elsewhere for its keys there, once what is asked for is on disk and may be signed", async () => {
    const publicKey = publicKeys[1]!;
    const remote = { kind: "remote" as const, url: "http://signer", origin: { kind: "flag" as const } };
    keyring.set(publicKey, remote);
    const order: string[] = [];
    const signing = signer().signBlock(blockWish(1, 9), () => {
      deepEqual(asked, []);
      equal(new SlashingProtection(database).blockWatermark(publicKey)?.slot, 9);
      order.push("protected");
    });
    deepEqual(await signing, [new Uint8Array(96).fill(9)]);
    deepEqual([order, asked], [["protected"], [["http://signer", publicKey, "BLOCK_V2"]]]);
    deepEqual(await signer().signBlock(blockWish(1, 8)), [undefined]);
    deepEqual([asked.length, refusals], [1, ["BLOCK_SLOT_NOT_HIGHER"]]);
    const both = await signer().signAttestation(vote(1, 2));
    equal(both[0]?.length, 96);
    deepEqual(both[1], new Uint8Array(96).fill(9));
    // Taken away while the signer is asked: its answer is of no use.
    const late = signer().signBlock(blockWish(1, 10), () => keyring.delete(publicKey));
    deepEqual(await late, [undefined]);
  });

  it("signs one block per slot, and the same block again", async () => {
    const wish = blockWish(0, 9, signingRoot);
    const [first] = await signer().signBlock(wish);
    deepEqual(await signer().signBlock(wish), [first]);
    deepEqual(await signer().signBlock({ ...wish, signingRoot: new Uint8Array(32) }), [undefined]);
    deepEqual(refusals, ["BLOCK_SLOT_NOT_HIGHER"]);
  });
});
