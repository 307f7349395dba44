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

describe("the signer", () => {
  let keyring: Map<Hex, ValidatorKey>;
  let publicKeys: Hex[];
  const signingRoot = new Uint8Array(32).fill(7);
  let dir: string;
  let database: Database;
  let refusals: SigningRefusal["code"][];

  beforeEach(async () => {
    keyring = await loadKeyring({ interop: { first: 0, last: 1 }, keystores: undefined });
    publicKeys = [...keyring.keys()];
    dir = mkdtempSync(join(tmpdir(), "jurat-signer-"));
    database = await openDatabase({ directory: dir, role: "consensus", chain: ZERO_HASH });
    refusals = [];
  });
  afterEach(async () => {
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const signer = () =>
    createSigner({
      keyring,
      protection: new SlashingProtection(database),
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

  it("signs one block per slot, and the same block again", async () => {
    const wish = { type: "signBlock" as const, id: 1, validatorIndex: 0, slot: 9, signingRoot };
    const [first] = await signer().signBlock(wish);
    deepEqual(await signer().signBlock(wish), [first]);
    deepEqual(await signer().signBlock({ ...wish, signingRoot: new Uint8Array(32) }), [undefined]);
    deepEqual(refusals, ["BLOCK_SLOT_NOT_HIGHER"]);
  });
});
