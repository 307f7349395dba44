/** The SSZ basic types of the protocol (consensus-specs, ssz/simple-serialize.md), named once. */
import { BooleanType, ByteVectorType, UintBigintType, UintNumberType, type ValueOf } from "@chainsafe/ssz";

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
/** A uint64 that is a `number`: slots, epochs, indices. The codec refuses to write more than 2^53 − 1. */
export const Uint53 = new UintNumberType(8);
/** A uint64 `number` whose largest value stands for "never" and reads as Infinity (FAR_FUTURE_EPOCH). */
export const EpochOrNever = new UintNumberType(8, { clipInfinity: true });
export const Uint64 = new UintBigintType(8);
export const Uint256 = new UintBigintType(32);

/** 32 bytes: a Merkle root. */
export type Root = ValueOf<typeof Root>;
