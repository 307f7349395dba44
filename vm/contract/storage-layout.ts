/** Where Solidity keeps state variables: slots, packing, mappings, arrays, namespaces. See specs/vm/contract/storage.md. */
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  fromHex,
  type Hash,
  type Hex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { compileEncoder } from "./abi-encode.ts";
import { parseType } from "./abi-parse.ts";
import { type AbiType, type AbiValue, canonicalType } from "./abi-type.ts";

/** What a contract declares, as plain data: a type name, or a container of declarations. */
export type StorageDeclaration =
  | string
  | { readonly mapping: readonly [key: string, value: StorageDeclaration] }
  | { readonly array: StorageDeclaration; readonly length?: number }
  | { readonly struct: StorageFields };
export type StorageFields = readonly (readonly [name: string, declaration: StorageDeclaration])[];

export type StorageType =
  /** A value of `size` bytes that shares its slot with its neighbours. */
  | { readonly kind: "value"; readonly type: AbiType; readonly size: number }
  | { readonly kind: "bytes" | "string" }
  | { readonly kind: "mapping"; readonly key: AbiType; readonly value: StorageType }
  | { readonly kind: "array"; readonly element: StorageType; readonly length: number | undefined }
  | { readonly kind: "struct"; readonly fields: readonly StorageField[]; readonly slots: bigint };

/** A typed place in storage. */
export type Cell = {
  readonly type: StorageType;
  readonly slot: bigint;
  readonly offset: number;
  /** slotKey(slot), where it is known already. */
  readonly key?: Hash;
};

export type StorageField = {
  readonly name: string;
  readonly type: StorageType;
  /** Relative to the start of the struct or the namespace. */
  readonly slot: bigint;
  /** Bytes from the low-order end of the slot. */
  readonly offset: number;
};

export type StorageErrorDetail =
  | { readonly code: "STORAGE_DECLARATION"; readonly problem: string }
  /** A path that the declaration does not allow. */
  | { readonly code: "STORAGE_PATH"; readonly problem: string }
  | { readonly code: "STORAGE_INDEX_OUT_OF_BOUNDS" };

export class StorageError extends CodedError<StorageErrorDetail> {}

/** Nesting of mappings, arrays and structs. */
export const STORAGE_DEPTH_LIMIT = 16;
/** Fields of one declaration, those of structs included. */
export const STORAGE_FIELD_LIMIT = 1_024;

const SLOT_COUNT = 1n << 256n;

/**
 * Places fields in the order they are declared: values share a slot while they fit, everything else begins a slot.
 * @throws StorageError STORAGE_DECLARATION
 */
export function layOutFields(fields: unknown): StorageType & { readonly kind: "struct" } {
  return layOutStruct(fields, 0, { remaining: STORAGE_FIELD_LIMIT });
}

type Budget = { remaining: number };

function layOutStruct(
  fields: unknown,
  depth: number,
  budget: Budget,
): StorageType & { readonly kind: "struct" } {
  if (!Array.isArray(fields)) refuse("fields are not a list");
  const placed: StorageField[] = [];
  const names = new Set<string>();
  let slot = 0n;
  let offset = 0;
  for (const field of fields as readonly unknown[]) {
    const [name, declaration] = Array.isArray(field) ? (field as readonly unknown[]) : [];
    if (typeof name !== "string" || !/^[A-Za-z_$][\w$]*$/.test(name)) refuse(`field name ${String(name)}`);
    if (names.has(name)) refuse(`field "${name}" twice`);
    if (--budget.remaining < 0) refuse(`more than ${STORAGE_FIELD_LIMIT} fields`);
    names.add(name);
    const type = readDeclaration(declaration, depth + 1, budget);
    const size = type.kind === "value" ? type.size : 32;
    if (offset > 0 && (type.kind !== "value" || offset + size > 32)) {
      slot += 1n;
      offset = 0;
    }
    placed.push({ name, type, slot, offset });
    if (type.kind === "value") offset += size;
    else slot += slotsOf(type);
  }
  const slots = slot + (offset > 0 ? 1n : 0n);
  return { kind: "struct", fields: placed, slots };
}

function readDeclaration(declaration: unknown, depth: number, budget: Budget): StorageType {
  if (depth > STORAGE_DEPTH_LIMIT) refuse(`nested deeper than ${STORAGE_DEPTH_LIMIT}`);
  if (typeof declaration === "string") return readTypeName(declaration);
  if (typeof declaration !== "object" || declaration === null) refuse("not a type");
  if ("mapping" in declaration && Array.isArray(declaration.mapping)) {
    const [key, value] = declaration.mapping as readonly unknown[];
    if (typeof key !== "string") refuse("a mapping's key is a type name");
    const keyType = parseType(key);
    if (keyType.kind === "array" || keyType.kind === "tuple") refuse(`${key} as a mapping's key`);
    return { kind: "mapping", key: keyType, value: readDeclaration(value, depth + 1, budget) };
  }
  if ("array" in declaration) {
    const element = readDeclaration(declaration.array, depth + 1, budget);
    const length = "length" in declaration ? declaration.length : undefined;
    if (length !== undefined && (!Number.isSafeInteger(length) || (length as number) < 1))
      refuse("array length");
    return checkedSize({ kind: "array", element, length: length as number | undefined });
  }
  if ("struct" in declaration) {
    const struct = layOutStruct(declaration.struct, depth, budget);
    if (struct.fields.length === 0) refuse("a struct has fields");
    return struct;
  }
  return refuse("not a type");
}

function readTypeName(name: string): StorageType {
  const type = parseType(name);
  const size = valueSize(type);
  if (size !== undefined) return { kind: "value", type, size };
  if (type.kind === "bytes" || type.kind === "string") return { kind: type.kind };
  return refuse(`${name}: declare arrays with array() and structs with struct()`);
}

/** Bytes a value takes in a packed slot; undefined for types that are not packed. */
function valueSize(type: AbiType): number | undefined {
  if (type.kind === "uint" || type.kind === "int") return type.bits / 8;
  if (type.kind === "fixedBytes") return type.size;
  if (type.kind === "address") return 20;
  return type.kind === "bool" ? 1 : undefined;
}

function checkedSize(type: StorageType): StorageType {
  if (slotsOf(type) >= 1n << 64n) refuse("more than 2^64 slots");
  return type;
}

/** Slots a field of this type takes where it is declared. */
export function slotsOf(type: StorageType): bigint {
  if (type.kind === "struct") return type.slots;
  if (type.kind !== "array" || type.length === undefined) return 1n;
  return slotsOfElements(type.element, BigInt(type.length));
}

/** Slots `count` neighbours take: values of at most half a slot share slots. */
export function slotsOfElements(element: StorageType, count: bigint): bigint {
  if (element.kind !== "value") return count * slotsOf(element);
  const perSlot = BigInt(Math.floor(32 / element.size));
  return (count + perSlot - 1n) / perSlot;
}

/** Where an element lies relative to the first one's slot. */
export function elementPosition(element: StorageType, index: bigint): { slot: bigint; offset: number } {
  if (element.kind !== "value") return { slot: index * slotsOf(element), offset: 0 };
  const perSlot = BigInt(Math.floor(32 / element.size));
  return { slot: index / perSlot, offset: Number(index % perSlot) * element.size };
}

/** First slot of what does not fit in one: elements of a dynamic array, text of more than 31 bytes. */
export function dataSlot(slot: bigint): bigint {
  return bytesToBigInt(keccak256(bigIntToBytes(slot, 32)));
}

export type KeyEncoder = (key: AbiValue) => Uint8Array;

/** What a mapping hashes for a key: a word, or the bytes themselves of `string` and `bytes`. */
export function compileKey(type: AbiType): KeyEncoder {
  const encode = compileEncoder([{ name: "", type, indexed: false }]);
  if (type.kind !== "string" && type.kind !== "bytes") return (key) => encode([key]);
  return (key) => {
    encode([key]); // Checks the key.
    return type.kind === "string" ? utf8ToBytes(key as string) : fromHex(key as string);
  };
}

/** `keccak256(key ‖ slot)`. */
export function mappingSlot(key: Uint8Array, slot: bigint): bigint {
  return bytesToBigInt(keccak256(concatBytes(key, bigIntToBytes(slot, 32))));
}

/** ERC-7201: `keccak256(uint256(keccak256(name)) - 1) & ~0xff`. */
export function namespaceSlot(name: string): bigint {
  const inner = bytesToBigInt(keccak256(utf8ToBytes(name))) - 1n;
  return dataSlot(inner) & ~0xffn;
}

/** Slots are counted modulo 2^256. */
export function addSlots(slot: bigint, count: bigint): bigint {
  const sum = slot + count;
  return sum < SLOT_COUNT ? sum : sum - SLOT_COUNT;
}

export function slotKey(slot: bigint): Hash {
  return `0x${slot.toString(16).padStart(64, "0")}` as Hex;
}

/** The name a Solidity author would write. */
export function storageTypeName(type: StorageType): string {
  switch (type.kind) {
    case "value":
      return canonicalType(type.type);
    case "mapping":
      return `mapping(${canonicalType(type.key)} => ${storageTypeName(type.value)})`;
    case "array":
      return `${storageTypeName(type.element)}[${type.length ?? ""}]`;
    case "struct":
      return `struct(${type.fields.map(({ type, name }) => `${storageTypeName(type)} ${name}`).join("; ")})`;
    default:
      return type.kind;
  }
}

function refuse(problem: string): never {
  throw new StorageError({ code: "STORAGE_DECLARATION", problem });
}
