/** What a failed call returns: Solidity's errors, made from what the guest threw. See specs/contracts/calls.md#failure. */
import { bytesToBigInt, fromHex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { type GuestErrorReport, GuestException } from "../engine/host.ts";
import { compileDecoder } from "./abi-decode.ts";
import { compileSelectedEncoder } from "./abi-item.ts";
import { parseError, parseParameters } from "./abi-parse.ts";
import { AbiError } from "./abi-type.ts";
import { StorageError } from "./storage-layout.ts";

/** Solidity's panic codes. */
export const PANIC = {
  arithmetic: 0x11n,
  divisionByZero: 0x12n,
  emptyPop: 0x31n,
  index: 0x32n,
  tooLarge: 0x41n,
} as const;

/** Characters of a reason that are kept. */
const REASON_LIMIT = 4_096;
const HEX = /^0x(?:[0-9a-f]{2})*$/;

const encodeReason = compileSelectedEncoder(parseError("Error(string reason)"));
const encodePanic = compileSelectedEncoder(parseError("Panic(uint256 code)"));

/** `Error(string)`. Lone surrogates become U+FFFD: a reason must not fail to say that something failed. */
export function reasonData(reason: string): Uint8Array {
  const wellFormed = new TextDecoder().decode(utf8ToBytes(reason.slice(0, REASON_LIMIT)));
  return encodeReason([wellFormed]);
}

/** `Panic(uint256)`. */
export function panicData(code: bigint): Uint8Array {
  return encodePanic([code]);
}

/** Revert data of an exception no handler caught. */
export function revertDataOf({ name, message, payload }: GuestErrorReport): Uint8Array {
  if (payload !== undefined && HEX.test(payload)) return fromHex(payload);
  if (name === "RangeError" && /division by zero/i.test(message)) return panicData(PANIC.divisionByZero);
  if (name === "RangeError" && /^BigInt is too large/.test(message)) return panicData(PANIC.tooLarge);
  return reasonData(name === "Error" ? message : `${name}: ${message}`);
}

const decodeReason = compileDecoder(parseParameters("string reason"));
const REASON_SELECTOR = toHex(reasonData("").subarray(0, 4));
const PANIC_SELECTOR = toHex(panicData(0n).subarray(0, 4));

/** What `Error(string)` says, and which panic a `Panic(uint256)` is; undefined of any other revert data. */
export function reasonOf(data: Uint8Array): string | undefined {
  const selector = toHex(data.subarray(0, 4));
  if (selector === PANIC_SELECTOR && data.length === 36) return `panic ${toQuantity(data.subarray(4))}`;
  if (selector !== REASON_SELECTOR) return undefined;
  try {
    return decodeReason(data.subarray(4))[0] as string;
  } catch (error) {
    if (!(error instanceof AbiError)) throw error;
    return undefined;
  }
}

function toQuantity(word: Uint8Array): string {
  return `0x${bytesToBigInt(word).toString(16)}`;
}

/** A panic the guest may catch. */
export function panicException(code: bigint, message: string): GuestException {
  return new GuestException("Panic", message, toHex(panicData(code)));
}

/**
 * The exception the guest sees for a value it should not have passed.
 * @throws what was given, when it is no such error.
 */
export function exceptionOf(error: unknown): GuestException {
  if (error instanceof GuestException) return error;
  if (error instanceof StorageError) {
    if (error.detail.code === "STORAGE_INDEX_OUT_OF_BOUNDS")
      return panicException(PANIC.index, "index out of bounds");
    return new GuestException("TypeError", error.detail.problem);
  }
  if (!(error instanceof AbiError)) throw error;
  const { detail } = error;
  switch (detail.code) {
    case "ABI_OUT_OF_RANGE":
      return panicException(PANIC.arithmetic, `value out of range of ${detail.type}`);
    case "ABI_WRONG_TYPE":
      return new GuestException("TypeError", `expected ${detail.expected}, got ${detail.actual}`);
    case "ABI_WRONG_LENGTH":
      return new GuestException(
        "TypeError",
        `expected ${detail.expected} of ${detail.type}, got ${detail.actual}`,
      );
    case "ABI_SIGNATURE":
      return new GuestException("TypeError", `${detail.problem} at ${detail.position} of "${detail.text}"`);
    default:
      return new GuestException(
        "Error",
        `invalid ABI data: ${DATA_PROBLEM[detail.code]} at byte ${detail.offset}`,
      );
  }
}

const DATA_PROBLEM = {
  ABI_SHORT_DATA: "it ends too early",
  ABI_BAD_OFFSET: "an offset points outside",
  ABI_BAD_LENGTH: "a length goes beyond its end",
  ABI_DIRTY_BITS: "bits are set that the type does not have",
  ABI_NOT_UTF8: "a string is not UTF-8",
  ABI_OVERLAPPING_DATA: "its parts overlap",
} as const;

/** The same for failures outside the guest: revert data. @throws what was given, when it is no such error. */
export function revertDataOfError(error: unknown): Uint8Array {
  const { name, message, payload } = exceptionOf(error);
  return revertDataOf({ name, message, payload });
}
