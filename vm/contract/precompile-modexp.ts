/** Modular exponentiation, precompile 0x05 (EIP-198, priced by EIP-7883, bounded by EIP-7823). See specs/vm/contract/precompiles.md. */
import { bigIntToBytes, bytesToBigInt, EMPTY_BYTES } from "../../primitives/bytes.ts";

/** Bytes of each operand (EIP-7823). */
export const MODEXP_OPERAND_LIMIT = 1_024;
const MINIMUM_GAS = 500;
/** Price of a step with operands of up to 32 bytes. */
const SHORT_OPERAND_GAS = 16;
const SHORT_OPERAND_BYTES = 32;
/** Steps for each byte of an exponent beyond its first 32. */
const STEPS_PER_BYTE = 16;
const HEADER_SIZE = 96;

type Lengths = { readonly base: number; readonly exponent: number; readonly modulus: number };

/** Bytes at `offset`; zeros where the input has ended. */
function slice(data: Uint8Array, offset: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(data.subarray(Math.min(offset, data.length), offset + size));
  return bytes;
}

/** Undefined when an operand is longer than the limit. */
function readLengths(data: Uint8Array): Lengths | undefined {
  const [base, exponent, modulus] = [0, 32, 64].map((offset) => bytesToBigInt(slice(data, offset, 32)));
  if (base === undefined || exponent === undefined || modulus === undefined) return undefined;
  const limit = BigInt(MODEXP_OPERAND_LIMIT);
  if (base > limit || exponent > limit || modulus > limit) return undefined;
  return { base: Number(base), exponent: Number(exponent), modulus: Number(modulus) };
}

/** EIP-7883: EIP-2565 sells short operands six times below their time. Infinite, so that all gas is taken, when an operand is too long. */
export function modularExponentiationGas(data: Uint8Array): number {
  const lengths = readLengths(data);
  if (lengths === undefined) return Number.POSITIVE_INFINITY;
  const longest = Math.max(lengths.base, lengths.modulus);
  const words = Math.ceil(longest / 8);
  const stepGas = longest <= SHORT_OPERAND_BYTES ? SHORT_OPERAND_GAS : 2 * words * words;
  const head = bytesToBigInt(slice(data, HEADER_SIZE + lengths.base, Math.min(lengths.exponent, 32)));
  const headBits = head === 0n ? 0 : head.toString(2).length - 1;
  const steps = STEPS_PER_BYTE * Math.max(0, lengths.exponent - 32) + headBits;
  return Math.max(MINIMUM_GAS, stepGas * Math.max(steps, 1));
}

export function modularExponentiation(data: Uint8Array): Uint8Array {
  const lengths = readLengths(data);
  if (lengths === undefined || lengths.modulus === 0) return EMPTY_BYTES;
  const exponentAt = HEADER_SIZE + lengths.base;
  const base = bytesToBigInt(slice(data, HEADER_SIZE, lengths.base));
  const exponent = bytesToBigInt(slice(data, exponentAt, lengths.exponent));
  const modulus = bytesToBigInt(slice(data, exponentAt + lengths.exponent, lengths.modulus));
  return bigIntToBytes(power(base, exponent, modulus), lengths.modulus);
}

/** Above it a table of sixteen powers costs less than it saves. */
const TABLE_EXPONENT = 1n << 64n;

/** Not constant in time: nothing here is secret. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus <= 1n) return 0n;
  const factor = base % modulus;
  return exponent < TABLE_EXPONENT ? byBits(factor, exponent, modulus) : byDigits(factor, exponent, modulus);
}

/** Square and multiply, from the highest bit. */
function byBits(factor: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * factor) % modulus;
  }
  return result;
}

/** The same with four bits at a time: a multiplication for each four squares. */
function byDigits(factor: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers = [1n];
  for (let i = 1; i < 16; i++) powers.push(((powers[i - 1] ?? 1n) * factor) % modulus);
  let result = 1n;
  for (const digit of exponent.toString(16)) {
    for (let i = 0; i < 4; i++) result = (result * result) % modulus;
    result = (result * (powers[Number.parseInt(digit, 16)] ?? 1n)) % modulus;
  }
  return result;
}
