/** Bytes, hex and integers: the conversions every layer needs, each with one strict meaning. */
import { CodedError } from "./errors.ts";

/** Lower-case, 0x-prefixed hex with two digits per byte, as in JSON-RPC "DATA". */
export type Hex = `0x${string}`;
/** A 32-byte digest as hex. */
export type Hash = Hex;
/** A 20-byte account address as lower-case hex. */
export type Address = Hex;

export type BytesErrorDetail =
  | { readonly code: "BYTES_NOT_HEX"; readonly text: string }
  | { readonly code: "BYTES_WRONG_LENGTH"; readonly expected: number; readonly actual: number }
  | { readonly code: "BYTES_NUMBER_TOO_LARGE"; readonly value: string };

export class BytesError extends CodedError<BytesErrorDetail> {}

export const EMPTY_BYTES = new Uint8Array(0);
export const ZERO_HASH: Hash = `0x${"00".repeat(32)}`;
export const ZERO_ADDRESS: Address = `0x${"00".repeat(20)}`;

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const HEX_PATTERN = /^0x(?:[0-9a-fA-F]{2})*$/;

/** `0x` and two lower-case digits per byte. */
export function toHex(bytes: Uint8Array): Hex {
  let text = "0x";
  for (const byte of bytes) text += HEX_OF_BYTE[byte];
  return text as Hex;
}

/** @throws BytesError unless `text` is 0x-prefixed hex with an even number of digits. */
export function fromHex(text: string): Uint8Array {
  if (!HEX_PATTERN.test(text)) throw new BytesError({ code: "BYTES_NOT_HEX", text: text.slice(0, 80) });
  const bytes = new Uint8Array((text.length - 2) >> 1);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digitAt(text, 2 + 2 * i) << 4) | digitAt(text, 3 + 2 * i);
  }
  return bytes;
}

/** fromHex, and exactly `length` bytes. @throws BytesError */
export function fromHexOfLength(text: string, length: number): Uint8Array {
  const bytes = fromHex(text);
  if (bytes.length !== length) {
    throw new BytesError({ code: "BYTES_WRONG_LENGTH", expected: length, actual: bytes.length });
  }
  return bytes;
}

function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 58 ? code - 48 : (code | 32) - 87;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive, as Array.sort wants it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Big-endian bytes as an unsigned integer; no bytes are 0. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes));
}

/**
 * Unsigned big-endian, exactly `length` bytes.
 * @throws BytesError when `value` is negative or does not fit.
 */
export function bigIntToBytes(value: bigint, length: number): Uint8Array {
  const digits = value < 0n ? "" : value.toString(16);
  if (digits === "" || digits.length > 2 * length) {
    throw new BytesError({ code: "BYTES_NUMBER_TOO_LARGE", value: value.toString() });
  }
  return fromHex(`0x${digits.padStart(2 * length, "0")}`);
}

/** Unsigned big-endian without leading zeros; 0 is no bytes (RLP's integers). */
export function bigIntToMinimalBytes(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY_BYTES;
  const digits = value.toString(16);
  return fromHex(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

/** 32-byte hex of an unsigned integer below 2^256. */
export function toHash(value: bigint): Hash {
  return toHex(bigIntToBytes(value, 32));
}

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8ToBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws TypeError when `bytes` are not UTF-8. */
export function bytesToUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}
