/** The SSZ basic types of the protocol (consensus-specs, ssz/simple-serialize.md), named once. */
import {
  BooleanType,
  ByteVectorType,
  type ByteViews,
  UintBigintType,
  UintNumberType,
  type ValueOf,
} from "@chainsafe/ssz";
import { CodedError } from "./errors.ts";

export class SszError extends CodedError<{ readonly code: "SSZ_NUMBER_TOO_LARGE"; readonly value: number }> {}

/**
 * A uint64 as a `number`, exact or refused: a rounded number would give one value two encodings.
 * @throws SszError above 2^53 − 1, on reading and on writing; Infinity passes where it stands for 2^64 − 1.
 */
export class SafeUint64Type extends UintNumberType {
  override value_serializeToBytes(output: ByteViews, offset: number, value: number): number {
    return super.value_serializeToBytes(output, offset, checkedInteger(value));
  }

  override value_deserializeFromBytes(data: ByteViews, start: number, end: number): number {
    return checkedInteger(super.value_deserializeFromBytes(data, start, end));
  }
}

function checkedInteger(value: number): number {
  if (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY) return value;
  throw new SszError({ code: "SSZ_NUMBER_TOO_LARGE", value });
}

export const Bytes4 = new ByteVectorType(4);
export const Bytes20 = new ByteVectorType(20);
export const Bytes32 = new ByteVectorType(32);
export const Bytes48 = new ByteVectorType(48);
export const Bytes96 = new ByteVectorType(96);
export const Bytes256 = new ByteVectorType(256);
export const Root = Bytes32;

export const Bool = new BooleanType();
export const Uint8 = new UintNumberType(1);
export const Uint16 = new UintNumberType(2);
/** A uint64 that is a `number`: slots, epochs, indices. Above 2^53 − 1 the codec refuses. */
export const Uint53 = new SafeUint64Type(8);
/** A uint64 `number` whose largest value stands for "never" and reads as Infinity (FAR_FUTURE_EPOCH). */
export const EpochOrNever = new SafeUint64Type(8, { clipInfinity: true });
export const Uint64 = new UintBigintType(8);
export const Uint256 = new UintBigintType(32);

/** 32 bytes: a Merkle root. */
export type Root = ValueOf<typeof Root>;
