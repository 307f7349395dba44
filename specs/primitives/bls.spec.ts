import { deepEqual, equal, throws } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { blstBls } from "../../node/native/bls.ts";
import { type BlsBackend, BlsError, nobleBls } from "../../primitives/bls.ts";
import { fromHex, toHex } from "../../primitives/bytes.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

const FOLDER = ["bls12-381-tests-v0.1.1", "tests", "protocol_blssig_pop_on_bls12381_g2_test_vectors_v0.1.1"];

type Case = { readonly input: never; readonly output: never };

/** Checks one case and says nothing when it holds. */
const CHECKS: Record<string, (bls: BlsBackend, input: never, output: never) => void> = {
  sign(bls: BlsBackend, { privkey, message }: { privkey: string; message: string }, output: string | null) {
    const sign = () => toHex(bls.sign(fromHex(privkey), fromHex(message)));
    if (output === null) throws(sign, BlsError);
    else equal(sign(), output);
  },
  verify(bls: BlsBackend, input: { pubkey: string; message: string; signature: string }, output: boolean) {
    const key = fromHex(input.pubkey);
    equal(bls.fastAggregateVerify([key], fromHex(input.message), fromHex(input.signature)), output);
  },
  aggregate(bls: BlsBackend, input: string[], output: string | null) {
    const aggregate = () => toHex(bls.aggregateSignatures(input.map(fromHex)));
    if (output === null) throws(aggregate, BlsError);
    else equal(aggregate(), output);
  },
  fast_aggregate_verify(
    bls: BlsBackend,
    input: { pubkeys: string[]; message: string; signature: string },
    output: boolean,
  ) {
    const keys = input.pubkeys.map(fromHex);
    equal(bls.fastAggregateVerify(keys, fromHex(input.message), fromHex(input.signature)), output);
  },
  aggregate_verify(
    bls: BlsBackend,
    input: { pubkeys: string[]; messages: string[]; signature: string },
    output: boolean,
  ) {
    const keys = input.pubkeys.map(fromHex);
    equal(bls.aggregateVerify(keys, input.messages.map(fromHex), fromHex(input.signature)), output);
  },
  batch_verify(
    bls: BlsBackend,
    input: { pubkeys: string[]; messages: string[]; signatures: string[] },
    output: boolean,
  ) {
    const sets = input.pubkeys.map((key, i) => ({
      publicKeys: [fromHex(key)],
      message: fromHex(input.messages[i]!),
      signature: fromHex(input.signatures[i]!),
    }));
    equal(bls.verifySets(sets), output);
  },
  deserialization_G1(bls: BlsBackend, { pubkey }: { pubkey: string }, output: boolean) {
    // Infinity is a point, and is no public key.
    const isInfinity = /^c00*$/.test(pubkey);
    equal(bls.isValidPublicKey(fromHex(`0x${pubkey}`)), output && !isInfinity);
  },
  deserialization_G2(bls: BlsBackend, { signature }: { signature: string }, output: boolean) {
    equal(bls.isValidSignature(fromHex(`0x${signature}`)), output);
  },
  hash_to_G2(_bls: BlsBackend, { msg }: { msg: string }, output: { x: string; y: string }) {
    // This suite's messages are signed under a tag of their own: it checks the curve library below us.
    const tag = "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    const { x, y } = bls12_381.G2.hashToCurve(new TextEncoder().encode(msg), { DST: tag }).toAffine();
    const hex = (value: bigint) => `0x${value.toString(16).padStart(96, "0")}`;
    deepEqual({ x: `${hex(x.c0)},${hex(x.c1)}`, y: `${hex(y.c0)},${hex(y.c1)}` }, output);
  },
} as never;

const COUNTS = {
  aggregate: 6,
  aggregate_verify: 5,
  batch_verify: 2,
  deserialization_G1: 13,
  deserialization_G2: 15,
  fast_aggregate_verify: 12,
  hash_to_G2: 4,
  sign: 10,
  verify: 29,
};

describe("BLS: the official vectors v0.1.1", () => {
  for (const [name, bls] of Object.entries({ noble: nobleBls, blst: blstBls })) {
    for (const [kind, count] of Object.entries(COUNTS)) {
      it(`${name} passes the ${count} cases of ${kind}`, function () {
        const folder = vectorsPath(this, ...FOLDER, kind);
        const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
        for (const file of files) {
          const { input, output } = readJson<Case>(join(folder, file));
          CHECKS[kind]!(bls, input, output);
        }
        equal(files.length, count);
      });
    }
  }
});
