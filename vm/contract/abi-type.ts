/** The types of the Solidity ABI as data, their canonical names and JSON form. See specs/vm/contract/abi.md. */
import { CodedError } from "../../primitives/errors.ts";

export type AbiType =
  | { readonly kind: "uint" | "int"; readonly bits: number }
  | { readonly kind: "address" | "bool" | "bytes" | "string" }
  /** `bytes1` … `bytes32`, and `function` (an address and a selector) as 24 bytes. */
  | { readonly kind: "fixedBytes"; readonly size: number; readonly isFunction: boolean }
  /** `length` is undefined for `T[]`. */
  | { readonly kind: "array"; readonly element: AbiType; readonly length: number | undefined }
  | { readonly kind: "tuple"; readonly members: readonly AbiParameter[] };

export type AbiParameter = {
  /** Empty when unnamed. */
  readonly name: string;
  readonly type: AbiType;
  /** Only events have indexed parameters. */
  readonly indexed: boolean;
};

/**
 * A value as contracts see it: integers are `bigint`; addresses and bytes are lower-case hex; a tuple is an
 * object when all its members are named, else an array.
 */
export type AbiValue =
  | bigint
  | boolean
  | string
  | readonly AbiValue[]
  | { readonly [member: string]: AbiValue };

export type AbiErrorDetail =
  /** A signature that cannot be read. */
  | {
      readonly code: "ABI_SIGNATURE";
      readonly text: string;
      readonly position: number;
      readonly problem: string;
    }
  /** A value that does not belong to its type. */
  | { readonly code: "ABI_WRONG_TYPE"; readonly expected: string; readonly actual: string }
  | { readonly code: "ABI_OUT_OF_RANGE"; readonly type: string }
  | {
      readonly code: "ABI_WRONG_LENGTH";
      readonly type: string;
      readonly expected: number;
      readonly actual: number;
    }
  /** Data that is not the encoding of any value. `offset` counts bytes from the start of the data. */
  | {
      readonly code:
        | "ABI_SHORT_DATA"
        | "ABI_BAD_OFFSET"
        | "ABI_BAD_LENGTH"
        | "ABI_DIRTY_BITS"
        | "ABI_NOT_UTF8"
        | "ABI_OVERLAPPING_DATA";
      readonly offset: number;
    };

export class AbiError extends CodedError<AbiErrorDetail> {}

/** The name of a type in signatures: `uint256`, `(address,bytes)[2]`. */
export function canonicalType(type: AbiType): string {
  switch (type.kind) {
    case "uint":
    case "int":
      return `${type.kind}${type.bits}`;
    case "fixedBytes":
      return type.isFunction ? "function" : `bytes${type.size}`;
    case "array":
      return `${canonicalType(type.element)}[${type.length ?? ""}]`;
    case "tuple":
      return canonicalTypes(type.members);
    default:
      return type.kind;
  }
}

/** `(uint256,bool)`: the parenthesised list a selector is computed from. */
export function canonicalTypes(parameters: readonly AbiParameter[]): string {
  return `(${parameters.map(({ type }) => canonicalType(type)).join(",")})`;
}

/** Whether the size of an encoding depends on the value, so that it is referred to by offset. */
export function isDynamic(type: AbiType): boolean {
  if (type.kind === "bytes" || type.kind === "string") return true;
  if (type.kind === "array") return type.length === undefined || isDynamic(type.element);
  return type.kind === "tuple" && type.members.some((member) => isDynamic(member.type));
}

/** Bytes a value takes in the head of its sequence: an offset when it is dynamic. */
export function headSize(type: AbiType): number {
  return isDynamic(type) ? 32 : staticSize(type);
}

function staticSize(type: AbiType): number {
  if (type.kind === "array") return (type.length ?? 0) * staticSize(type.element);
  if (type.kind === "tuple") return headSizeOfAll(type.members);
  return 32;
}

export function headSizeOfAll(parameters: readonly AbiParameter[]): number {
  return parameters.reduce((size, { type }) => size + headSize(type), 0);
}

/** Whether values of this list are objects keyed by name: every name is given, and none twice. */
export function isNamed(parameters: readonly AbiParameter[]): boolean {
  const names = new Set(parameters.map(({ name }) => name));
  return parameters.length > 0 && !names.has("") && names.size === parameters.length;
}

/** One parameter in the JSON ABI. */
export type JsonAbiParameter = {
  readonly name: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly JsonAbiParameter[];
};

export function toJsonParameter(parameter: AbiParameter, isEvent = false): JsonAbiParameter {
  let suffix = "";
  let type = parameter.type;
  while (type.kind === "array") {
    suffix = `[${type.length ?? ""}]${suffix}`;
    type = type.element;
  }
  return {
    name: parameter.name,
    type: `${type.kind === "tuple" ? "tuple" : canonicalType(type)}${suffix}`,
    ...(isEvent && { indexed: parameter.indexed }),
    ...(type.kind === "tuple" && { components: type.members.map((member) => toJsonParameter(member)) }),
  };
}
