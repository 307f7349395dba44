import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { blstBls } from "../../node/native/bls.ts";
import { createHashBackend } from "../../node/native/hashes.ts";
import { createSecp256k1Backend } from "../../node/native/secp256k1.ts";
import { nobleBls } from "../../primitives/bls.ts";
import { bigIntToBytes } from "../../primitives/bytes.ts";
import { type HashBackend, nobleHashes } from "../../primitives/hash.ts";
import { nobleSecp256k1, SECP256K1_ORDER } from "../../primitives/secp256k1.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const privateKey = fc.bigInt({ min: 1n, max: SECP256K1_ORDER - 1n }).map((key) => bigIntToBytes(key, 32));

const INFINITY = Uint8Array.of(0xc0, ...new Uint8Array(95));
const OTHER_SIGNATURES: { readonly [kind: string]: Uint8Array | undefined } = {
  infinity: INFINITY,
  "no point": new Uint8Array(96).fill(1),
};

describe("fast builds agree with noble", () => {
  let hashes: HashBackend;
  before(async () => {
    hashes = await createHashBackend();
  });

  it("on Keccak-256 and SHA-256 of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (data) => {
        deepEqual(hashes.keccak256(data), nobleHashes.keccak256(data));
        deepEqual(hashes.sha256(data), nobleHashes.sha256(data));
      }),
    );
  });

  it("on secp256k1 signatures and the keys recovered from them", function () {
    const native = createSecp256k1Backend();
    if (native === undefined) return this.skip();
    fc.assert(
      fc.property(bytes(32), privateKey, (hash, key) => {
        const signed = native.sign(hash, key);
        deepEqual(signed, nobleSecp256k1.sign(hash, key));
        const recovered = native.recover(hash, signed.signature, signed.recovery);
        deepEqual(recovered, nobleSecp256k1.recover(hash, signed.signature, signed.recovery));
        deepEqual(recovered, native.publicKey(key));
        deepEqual(native.publicKey(key), nobleSecp256k1.publicKey(key));
      }),
      { numRuns: 50 },
    );
    return undefined;
  });

  it("on which secp256k1 signatures recover to nothing", function () {
    const native = createSecp256k1Backend();
    if (native === undefined) return this.skip();
    const edge = fc.constantFrom(0n, 1n, SECP256K1_ORDER - 1n, SECP256K1_ORDER, 2n ** 256n - 1n);
    const word = fc.oneof(
      bytes(32),
      edge.map((value) => bigIntToBytes(value, 32)),
    );
    fc.assert(
      fc.property(bytes(32), word, word, fc.integer({ min: 0, max: 1 }), (hash, r, s, recovery) => {
        const signature = new Uint8Array([...r, ...s]);
        deepEqual(
          native.recover(hash, signature, recovery),
          nobleSecp256k1.recover(hash, signature, recovery),
        );
      }),
      { numRuns: 200 },
    );
    return undefined;
  });

  it("on BLS signatures, and on corrupted ones", () => {
    const corrupted = fc.record({ at: fc.nat(95), bit: fc.nat(7), isCorrupted: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 2), bytes(32), corrupted, (seed, message, { at, bit, isCorrupted }) => {
        const key = bigIntToBytes(BigInt(seed) + 1n, 32);
        const signature = blstBls.sign(key, message);
        deepEqual(signature, nobleBls.sign(key, message));
        const publicKey = blstBls.publicKey(key);
        deepEqual(publicKey, nobleBls.publicKey(key));
        if (isCorrupted) signature[at]! ^= 1 << bit;
        equal(blstBls.isValidSignature(signature), nobleBls.isValidSignature(signature));
        const verdict = blstBls.fastAggregateVerify([publicKey], message, signature);
        equal(verdict, !isCorrupted);
        equal(nobleBls.fastAggregateVerify([publicKey], message, signature), verdict);
        equal(blstBls.verifySets([{ publicKeys: [publicKey], message, signature }]), verdict);
      }),
      { numRuns: 15 },
    );
  });

  it("on lists of signatures, several of one message, each good or not", () => {
    const kind = fc.constantFrom("good", "good", "good", "of another", "infinity", "no point", "no key");
    const claim = fc.record({ owner: fc.integer({ min: 1, max: 3 }), of: fc.nat(1), kind });
    const secret = (owner: number) => bigIntToBytes(BigInt(owner), 32);
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 5 }), (claims) => {
        const sets = claims.map(({ owner, of, kind: made }) => {
          const message = new Uint8Array(32).fill(of);
          const signed = made === "of another" ? new Uint8Array(32).fill(9) : message;
          const signature = OTHER_SIGNATURES[made] ?? blstBls.sign(secret(owner), signed);
          const publicKey = made === "no key" ? new Uint8Array(48) : blstBls.publicKey(secret(owner));
          return { publicKeys: [publicKey], message, signature };
        });
        const verdict = blstBls.verifySets(sets);
        equal(
          verdict,
          claims.every((made) => made.kind === "good"),
        );
        equal(nobleBls.verifySets(sets), verdict);
      }),
      { numRuns: 10 },
    );
  });

  it("never lets wrong signatures of one message cancel out", () => {
    const message = new Uint8Array(32);
    const [one, two] = [1n, 2n].map((key) => bigIntToBytes(key, 32));
    const publicKeys = [one!, two!].map((key) => blstBls.publicKey(key));
    // Each signs for the other: their sum is right, neither is.
    const sets = [two!, one!].map((key, i) => ({
      ...{ publicKeys: [publicKeys[i]!], message },
      signature: blstBls.sign(key, message),
    }));
    for (const bls of [nobleBls, blstBls]) equal(bls.verifySets(sets), false);
    const summed = blstBls.aggregateSignatures(sets.map(({ signature }) => signature));
    equal(blstBls.fastAggregateVerify(publicKeys, message, summed), true);
  });

  it("on keys that cancel out, and on lists of different lengths", () => {
    const order = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
    const key = nobleBls.publicKey(bigIntToBytes(5n, 32));
    const opposite = nobleBls.publicKey(bigIntToBytes(order - 5n, 32));
    const message = new Uint8Array(32);
    for (const bls of [nobleBls, blstBls]) {
      equal(bls.fastAggregateVerify([], message, INFINITY), false);
      equal(bls.aggregateVerify([key], [], INFINITY), false);
      equal(bls.fastAggregateVerify([key, opposite], message, INFINITY), false);
      equal(bls.verifySets([{ publicKeys: [key, opposite], message, signature: INFINITY }]), false);
      equal(
        bls.fastAggregateVerify([key, opposite], message, bls.sign(bigIntToBytes(5n, 32), message)),
        false,
      );
    }
  });
});
