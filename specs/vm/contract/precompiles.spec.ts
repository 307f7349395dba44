/** specs/vm/contract/precompiles.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createEVM } from "@ethereumjs/evm";
import { bn254 } from "@noble/curves/bn254.js";
import { blake2b } from "@noble/hashes/blake2.js";
import fc from "fast-check";
import { ripemd160, sha256 } from "viem";
import { bigIntToBytes, bytesToBigInt, concatBytes, fromHex, toHex } from "../../../primitives/bytes.ts";
import { keccak256 } from "../../../primitives/hash.ts";
import { privateKeyToAddress, signRecoverable } from "../../../primitives/secp256k1.ts";
import { PRECOMPILES } from "../../../vm/contract/precompiles.ts";

const run = (number: number, data: Uint8Array, gas = 1_000_000) =>
  PRECOMPILES.get(`0x${number.toString(16).padStart(40, "0")}`)!(data, gas);
const word = (value: bigint | number) => bigIntToBytes(BigInt(value), 32);

describe("precompiles", () => {
  it("recover signers, and answer nothing for what nobody signed", () => {
    const key = new Uint8Array(32).fill(9);
    const hash = keccak256(new Uint8Array(3));
    const { r, s, yParity } = signRecoverable(hash, key);
    const input = (v: number) => concatBytes(hash, word(v), word(r), word(s));
    const { output, gasLeft } = run(1, input(27 + yParity), 8_000);
    equal(toHex(output.subarray(12)), privateKeyToAddress(key));
    equal(gasLeft, 2_000);
    equal(run(1, input(29)).output.length, 0);
    equal(run(1, new Uint8Array(5)).output.length, 0);
    equal(run(1, input(27), 5_999).outcome, "out of gas");
  });

  it("hash and copy as Ethereum's do, at its prices", () => {
    const data = fromHex("0x0102030405");
    equal(toHex(run(2, data).output), sha256(data));
    equal(toHex(run(3, data).output.subarray(12)), ripemd160(data));
    deepEqual(run(4, data).output, data);
    deepEqual(
      [2, 3, 4].map((number) => 1_000_000 - run(number, new Uint8Array(33)).gasLeft),
      [60 + 24, 600 + 240, 15 + 6],
    );
  });

  const modexp = (base: bigint, exponent: bigint, modulus: bigint) =>
    concatBytes(word(32), word(32), word(32), word(base), word(exponent), word(modulus));

  it("raise to powers modulo anything", () => {
    const value = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
    fc.assert(
      fc.property(value, fc.bigInt({ min: 0n, max: 300n }), value, (base, exponent, modulus) => {
        const expected = modulus === 0n ? 0n : base ** exponent % modulus;
        deepEqual(run(5, modexp(base, exponent, modulus)).output, word(expected));
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(value, value, value, value, (base, one, other, modulus) => {
        const at = (exponent: bigint) => bytesToBigInt(run(5, modexp(base, exponent, modulus)).output);
        if (modulus === 0n || (one + other) >> 256n !== 0n) return;
        equal(at(one + other), (at(one) * at(other)) % modulus);
      }),
      { numRuns: 60 },
    );
  });

  it("price powers by EIP-7883 and bound them by EIP-7823", () => {
    const used = (data: Uint8Array) => 1_000_000 - run(5, data).gasLeft;
    // The example of EIP-198: 3^(p-1) mod p for secp256k1's p costs 1360 under EIP-2565.
    const p = 2n ** 256n - 2n ** 32n - 977n;
    deepEqual(run(5, modexp(3n, p - 1n, p)).output, word(1));
    equal(used(modexp(3n, p - 1n, p)), 4_080);
    equal(used(new Uint8Array(0)), 500);
    const long = (size: number, exponent: number) =>
      concatBytes(word(size), word(exponent), word(size), new Uint8Array(2 * size + exponent).fill(0xff));
    equal(used(long(64, 1)), 2 * 8 * 8 * 7);
    equal(used(long(32, 40)), 16 * (16 * 8 + 255));
    equal(run(5, concatBytes(word(1025), word(1), word(1))).outcome, "out of gas");
    equal(run(5, concatBytes(word(2n ** 255n), word(1), word(1))).outcome, "out of gas");
  });

  const { G1, G2, fields } = bn254;
  const g1Bytes = (point: typeof G1.Point.ZERO) => {
    const { x, y } = point.toAffine();
    return concatBytes(word(x), word(y));
  };
  const g2Bytes = (point: typeof G2.Point.ZERO) => {
    const { x, y } = point.toAffine();
    return concatBytes(word(x.c1), word(x.c0), word(y.c1), word(y.c0));
  };

  /** What @ethereumjs/evm answers; undefined when it takes all gas. */
  async function reference(number: number, data: Uint8Array): Promise<string | undefined> {
    evm ??= await createEVM();
    const other = evm.precompiles.get(number.toString(16).padStart(40, "0"));
    ok(other !== undefined, `@ethereumjs/evm has ${number}`);
    const result = await other({ data, gasLimit: 1_000_000_000n, common: evm.common, _EVM: evm });
    return result.exceptionError === undefined ? toHex(result.returnValue) : undefined;
  }
  let evm: Awaited<ReturnType<typeof createEVM>> | undefined;

  async function same(number: number, data: Uint8Array): Promise<void> {
    const { outcome, output } = run(number, data, 1_000_000_000);
    const expected = await reference(number, data);
    equal(outcome === "success" ? toHex(output) : undefined, expected, `${number} ${toHex(data)}`);
  }

  it("add and multiply on alt_bn128 as another implementation does, and refuse what is no point", async () => {
    const [a, b] = [G1.Point.BASE.multiply(5n), G1.Point.BASE.multiply(fields.Fr.ORDER - 5n)].map(
      g1Bytes,
    ) as [Uint8Array, Uint8Array];
    const nothing = new Uint8Array(0);
    const { ORDER } = fields.Fp;
    const pairs = [concatBytes(a, a), concatBytes(a, b), a, nothing, concatBytes(a, new Uint8Array(64), a)];
    const wrong = [concatBytes(word(1), word(3)), concatBytes(word(ORDER + 1n), word(2))];
    for (const data of [...pairs, ...wrong]) await same(6, data);
    for (const scalar of [0n, 1n, fields.Fr.ORDER, (1n << 256n) - 1n])
      await same(7, concatBytes(a, word(scalar)));
    for (const data of [nothing, a.subarray(0, 40), ...wrong]) await same(7, data);
    equal(run(6, wrong[0]!).outcome, "invalid precompile input");
    equal(run(6, wrong[0]!).gasLeft, 0);
    equal(run(7, a, 249_999).outcome, "out of gas");
  });

  it("check pairings: e(aP, Q) · e(-P, aQ) is one", async () => {
    const [p, q] = [G1.Point.BASE, G2.Point.BASE];
    const one = concatBytes(
      ...[g1Bytes(p.multiply(6n)), g2Bytes(q), g1Bytes(p.negate()), g2Bytes(q.multiply(6n))],
    );
    deepEqual(run(8, one, 10_000_000).output, word(1));
    equal(10_000_000 - run(8, one, 10_000_000).gasLeft, 4_500_000);
    const swapped = concatBytes(
      one.subarray(0, 64),
      one.subarray(256),
      one.subarray(192, 256),
      one.subarray(64, 192),
    );
    const zero = concatBytes(new Uint8Array(64), g2Bytes(q));
    for (const data of [one, swapped, zero, new Uint8Array(0), one.subarray(0, 191), new Uint8Array(192)]) {
      await same(8, data);
    }
    // On the curve, of another order: x = 1 + i has a root that is no multiple of the generator.
    const outside = concatBytes(g1Bytes(p), word(0), word(1), word(0), word(2));
    await same(8, outside);
    equal(run(8, outside, 10_000_000).outcome, "invalid precompile input");
  });

  it("compress as BLAKE2b does", () => {
    const iv = [
      "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5",
      "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b",
    ].join("");
    const state = fromHex(`0x${iv}`);
    // 64 bytes of output, no key: section 2.5's parameter block.
    for (const [index, byte] of [0x40, 0, 0x01, 0x01].entries()) state[index] = (state[index] ?? 0) ^ byte;
    const message = new Uint8Array(128);
    message.set(new TextEncoder().encode("abc"));
    const data = concatBytes(
      bigIntToBytes(12n, 4),
      state,
      message,
      Uint8Array.of(3),
      new Uint8Array(15),
      Uint8Array.of(1),
    );
    equal(toHex(run(9, data).output), toHex(blake2b(new TextEncoder().encode("abc"))));
  });

  it("compress as another implementation does, and refuse another form", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 212, maxLength: 212 }),
        fc.nat(30),
        fc.nat(2),
        async (bytes, rounds, flag) => {
          const data = concatBytes(bigIntToBytes(BigInt(rounds), 4), bytes.subarray(4), Uint8Array.of(flag));
          await same(9, data);
        },
      ),
      { numRuns: 20 },
    );
    equal(run(9, new Uint8Array(212)).outcome, "invalid precompile input");
    equal(1_000_000 - run(9, concatBytes(bigIntToBytes(12n, 4), new Uint8Array(209))).gasLeft, 960);
  });
});
