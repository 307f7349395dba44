/** Nanoseconds a gas takes in each precompile, on input that is dear for its price. See specs/vm/contract/precompiles.md. */
import { bn254 } from "@noble/curves/bn254.js";
import { bigIntToBytes, concatBytes } from "../primitives/bytes.ts";
import { signRecoverable } from "../primitives/secp256k1.ts";
import { PRECOMPILES } from "../vm/contract/precompiles.ts";

const GAS = 100_000_000;
/** Gas of one measured run: long enough for the clock, short enough to keep the core for it. */
const RUN_GAS = 300_000;
const RUNS = 40;
const KILOBYTES_32 = 32 * 1024;

const word = (value: bigint | number) => bigIntToBytes(BigInt(value), 32);
const ones = (bytes: number) => new Uint8Array(bytes).fill(0xff);

function modexp(baseBytes: number, exponentBytes: number, modulusBytes: number): Uint8Array {
  const lengths = [baseBytes, exponentBytes, modulusBytes].map(word);
  return concatBytes(...lengths, ones(baseBytes), ones(exponentBytes), ones(modulusBytes));
}

function signature(): Uint8Array {
  const digest = new Uint8Array(32).fill(7);
  const { r, s, yParity } = signRecoverable(digest, new Uint8Array(32).fill(9));
  return concatBytes(digest, word(27 + yParity), word(r), word(s));
}

function pairs(count: number): Uint8Array {
  const { G1, G2 } = bn254;
  const p = G1.Point.BASE.multiply(0x1234_5678_9abc_def1n).toAffine();
  const q = G2.Point.BASE.multiply(0xfedc_ba98_7654_3211n).toAffine();
  const pair = concatBytes(...[p.x, p.y, q.x.c1, q.x.c0, q.y.c1, q.y.c0].map(word));
  return concatBytes(...Array.from({ length: count }, () => pair));
}

function point(factor: bigint): Uint8Array {
  const { x, y } = bn254.G1.Point.BASE.multiply(factor).toAffine();
  return concatBytes(word(x), word(y));
}

const compression = (rounds: number) =>
  concatBytes(bigIntToBytes(BigInt(rounds), 4), ones(208), Uint8Array.of(1));

/** By precompile and what it is given. */
export const PRECOMPILE_INPUTS: readonly (readonly [number: number, name: string, data: Uint8Array])[] = [
  [1, "ecrecover", signature()],
  [2, "SHA-256 of nothing", new Uint8Array(0)],
  [2, "SHA-256 of 32 KiB", ones(KILOBYTES_32)],
  [3, "RIPEMD-160 of nothing", new Uint8Array(0)],
  [3, "RIPEMD-160 of 32 KiB", ones(KILOBYTES_32)],
  [4, "identity of 32 KiB", ones(KILOBYTES_32)],
  ...[1, 8, 16, 32, 48, 64, 128, 256, 512, 1024].flatMap((size) =>
    [1, 8, 32, 64].map((exponent) => {
      const name = `modexp of ${size} bytes to ${exponent} bytes`;
      return [5, name, modexp(size, exponent, size)] as const;
    }),
  ),
  [5, "modexp of 1 byte to 1024 bytes", modexp(1, 1024, 1)],
  [5, "modexp of 1024 bytes modulo 1", modexp(1024, 1, 1)],
  [6, "addition on alt_bn128", concatBytes(point(3n ** 90n), point(5n ** 80n))],
  [7, "multiplication on alt_bn128", concatBytes(point(3n ** 90n), word(2n ** 253n - 1n))],
  [8, "pairing of 1", pairs(1)],
  [8, "pairing of 4", pairs(4)],
  [9, "BLAKE2b F of 1 round", compression(1)],
  [9, "BLAKE2b F of 12 rounds", compression(12)],
  [9, "BLAKE2b F of 1000 rounds", compression(1000)],
];

/** What a call of a precompile costs a contract besides: the access, the operation, and its text across. */
export const CALL_GAS = 500;

/** The least of many runs, each as many calls as RUN_GAS pays. @param extraGas added to the price of each call. */
export function timePrecompile(number: number, data: Uint8Array, extraGas: number): number {
  const run = PRECOMPILES.get(`0x${number.toString(16).padStart(40, "0")}`)!;
  const price = GAS - run(data, GAS).gasLeft + extraGas;
  const calls = Math.max(1, Math.floor(RUN_GAS / price));
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    for (let call = 0; call < calls; call++) run(data, GAS);
    least = Math.min(least, ((performance.now() - start) * 1e6) / (calls * price));
  }
  return least;
}
