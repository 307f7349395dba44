/** Strict reading of typed fields out of decoded RLP: integers without leading zeros, byte strings of exact length. */
import { type Address, bytesToBigInt, type Hash, toHex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import type { RlpItem } from "../primitives/rlp.ts";

/** An RLP structure whose shape is not that of the thing it should be. */
export class FieldError extends CodedError<{
  readonly code:
    | "FIELD_COUNT"
    | "FIELD_NOT_BYTES"
    | "FIELD_NOT_LIST"
    | "FIELD_LENGTH"
    | "FIELD_LEADING_ZERO"
    | "FIELD_TOO_LARGE";
  readonly field: string;
}> {}

/** The members of a list, of which there must be `minimum` to `maximum`. @throws FieldError */
export function readList(
  item: RlpItem | undefined,
  field: string,
  minimum = 0,
  maximum = Number.POSITIVE_INFINITY,
): readonly RlpItem[] {
  if (item === undefined) throw new FieldError({ code: "FIELD_COUNT", field });
  if (item instanceof Uint8Array) throw new FieldError({ code: "FIELD_NOT_LIST", field });
  if (item.length < minimum || item.length > maximum) throw new FieldError({ code: "FIELD_COUNT", field });
  return item;
}

/** A byte string, of exactly `length` bytes when one is given. @throws FieldError */
export function readBytes(item: RlpItem | undefined, field: string, length?: number): Uint8Array {
  if (item === undefined) throw new FieldError({ code: "FIELD_COUNT", field });
  if (!(item instanceof Uint8Array)) throw new FieldError({ code: "FIELD_NOT_BYTES", field });
  if (length !== undefined && item.length !== length) throw new FieldError({ code: "FIELD_LENGTH", field });
  return item;
}

/** An unsigned integer in minimal big-endian bytes, at most `byteLimit` of them. @throws FieldError */
export function readInteger(item: RlpItem | undefined, field: string, byteLimit: number): bigint {
  const bytes = readBytes(item, field);
  if (bytes.length > byteLimit) throw new FieldError({ code: "FIELD_TOO_LARGE", field });
  if (bytes[0] === 0) throw new FieldError({ code: "FIELD_LEADING_ZERO", field });
  return bytesToBigInt(bytes);
}

/** readInteger below 2^53, for counters that are numbers here. @throws FieldError */
export function readSafeInteger(item: RlpItem | undefined, field: string): number {
  const value = Number(readInteger(item, field, 8));
  if (!Number.isSafeInteger(value)) throw new FieldError({ code: "FIELD_TOO_LARGE", field });
  return value;
}

/** 32 bytes as hex. @throws FieldError */
export function readHash(item: RlpItem | undefined, field: string): Hash {
  return toHex(readBytes(item, field, 32));
}

/** 20 bytes as hex. @throws FieldError */
export function readAddress(item: RlpItem | undefined, field: string): Address {
  return toHex(readBytes(item, field, 20));
}
