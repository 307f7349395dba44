/** specs/vm/contract/precompiles.md */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { ripemd160, sha256 } from "viem";
import { bigIntToBytes, concatBytes, fromHex, toHex } from "../../../primitives/bytes.ts";
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
    const { output, gasLeft } = run(1, input(27 + yParity), 5_000);
    equal(toHex(output.subarray(12)), privateKeyToAddress(key));
    equal(gasLeft, 2_000);
    equal(run(1, input(29)).output.length, 0);
    equal(run(1, new Uint8Array(5)).output.length, 0);
    equal(run(1, input(27), 2_999).outcome, "out of gas");
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
  });

  it("price powers by EIP-2565 and bound them by EIP-7823", () => {
    const used = (data: Uint8Array) => 1_000_000 - run(5, data).gasLeft;
    // The example of EIP-198: 3^(p-2) mod p for secp256k1's p costs 1360 under EIP-2565.
    const p = 2n ** 256n - 2n ** 32n - 977n;
    deepEqual(run(5, modexp(3n, p - 1n, p)).output, word(1));
    equal(used(modexp(3n, p - 1n, p)), 1_360);
    equal(used(new Uint8Array(0)), 200);
    equal(run(5, concatBytes(word(1025), word(1), word(1))).outcome, "out of gas");
    equal(run(5, concatBytes(word(2n ** 255n), word(1), word(1))).outcome, "out of gas");
  });
});
