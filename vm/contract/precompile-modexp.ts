/** Modular exponentiation, precompile 0x05 (EIP-198, priced by EIP-2565, bounded by EIP-7823). See specs/vm/contract/precompiles.md. */
import { bigIntToBytes, bytesToBigInt, EMPTY_BYTES } from "../../primitives/bytes.ts";

/** Bytes of each operand (EIP-7823). */
export const MODEXP_OPERAND_LIMIT = 1_024;
const MINIMUM_GAS = 200;
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

/** EIP-2565. Infinite, so that all gas is taken, when an operand is too long. */
export function modularExponentiationGas(data: Uint8Array): number {
  const lengths = readLengths(data);
  if (lengths === undefined) return Number.POSITIVE_INFINITY;
  const words = Math.ceil(Math.max(lengths.base, lengths.modulus) / 8);
  const head = bytesToBigInt(slice(data, HEADER_SIZE + lengths.base, Math.min(lengths.exponent, 32)));
  const headBits = head === 0n ? 0 : head.toString(2).length - 1;
  const iterations = lengths.exponent <= 32 ? headBits : 8 * (lengths.exponent - 32) + headBits;
  return Math.max(MINIMUM_GAS, Math.floor((words * words * Math.max(iterations, 1)) / 3));
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

/** Square and multiply. Not constant in time: nothing here is secret. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus <= 1n) return 0n;
  let result = 1n;
  let square = base % modulus;
  for (const bit of exponent.toString(2).split("").reverse()) {
    if (bit === "1") result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
