/** Reads and writes typed cells of a contract's storage, one slot at a time. See specs/vm/contract/storage.md#cells. */
import {
  bigIntToBytes,
  bytesToBigInt,
  bytesToUtf8,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { compileEncoder } from "./abi-encode.ts";
import type { AbiType, AbiValue } from "./abi-type.ts";
import { keyEncoder, mappingPlace } from "./mapping-slots.ts";
import {
  addSlots,
  type Cell,
  dataSlot,
  elementPosition,
  StorageError,
  type StorageField,
  type StorageType,
  slotsOfElements,
} from "./storage-layout.ts";

/** The 32-byte words of one contract, and what touching them costs. `key` is the slot as the state knows it, if at hand. */
export interface SlotAccess {
  load(slot: bigint, key?: Hash): bigint;
  store(slot: bigint, value: bigint, key?: Hash): void;
  /** Called before a slot is computed by hashing `bytes` bytes. */
  chargeHash(bytes: number): void;
}

/** A step into a container: a mapping's key, an array's index, a struct's field by number. */
export type Step = AbiValue;

const SHORT_LIMIT = 31;
/** Bytes a `string` or `bytes` may have; far above what the gas of a block pays for. */
export const STORED_BYTES_LIMIT = 1 << 24;

/**
 * The cell that `steps` lead to.
 * @throws StorageError when a step does not fit its container or an index is out of bounds; AbiError for a bad key.
 */
export function cellAt(root: Cell, steps: readonly Step[], access: SlotAccess): Cell {
  return steps.reduce<Cell>((cell, step) => stepInto(cell, step, access), root);
}

function stepInto(cell: Cell, step: Step, access: SlotAccess): Cell {
  const { type, slot } = cell;
  if (type.kind === "mapping") {
    const place = mappingPlace(cell, type, step);
    access.chargeHash(place.hashedBytes);
    return place.cell;
  }
  if (type.kind === "array") {
    const length = type.length === undefined ? access.load(slot) : BigInt(type.length);
    if (typeof step !== "bigint" || step < 0n || step >= length) {
      throw new StorageError({ code: "STORAGE_INDEX_OUT_OF_BOUNDS" });
    }
    return elementAt(cell, type, step, access);
  }
  if (type.kind === "struct") {
    const field =
      typeof step === "bigint" && step < type.fields.length ? type.fields[Number(step)] : undefined;
    if (field === undefined) throw new StorageError({ code: "STORAGE_PATH", problem: "no such field" });
    return fieldCell(slot, field);
  }
  throw new StorageError({ code: "STORAGE_PATH", problem: `a step into ${type.kind}` });
}

/** The field of a struct, or of a declaration, that begins at `start`. */
export function fieldCell(start: bigint, { type, slot, offset }: StorageField): Cell {
  return { type, slot: addSlots(start, slot), offset };
}

type ArrayType = StorageType & { readonly kind: "array" };

function elementAt(array: Cell, type: ArrayType, index: bigint, access: SlotAccess): Cell {
  const { slot, offset } = elementPosition(type.element, index);
  return { type: type.element, slot: addSlots(firstElement(array, type, access), slot), offset };
}

function firstElement(array: Cell, type: ArrayType, access: SlotAccess): bigint {
  if (type.length !== undefined) return array.slot;
  access.chargeHash(32);
  return dataSlot(array.slot);
}

/** The value in a cell; of an array its length. @throws StorageError for mappings and structs. */
export function readCell(cell: Cell, access: SlotAccess): AbiValue {
  const { type, slot } = cell;
  if (type.kind === "value") return unpackValue(type, access.load(slot, cell.key) >> BigInt(8 * cell.offset));
  if (type.kind === "bytes") return toHex(readBytes(slot, access));
  if (type.kind === "string") return readText(readBytes(slot, access));
  throw new StorageError({ code: "STORAGE_PATH", problem: `reading a whole ${type.kind}` });
}

/** Text that other code wrote may not be UTF-8: then the read reverts rather than invent characters. */
function readText(bytes: Uint8Array): string {
  try {
    return bytesToUtf8(bytes);
  } catch (cause) {
    throw new StorageError({ code: "STORAGE_PATH", problem: "text is not UTF-8" }, { cause });
  }
}

/** @throws StorageError, and AbiError when `value` does not belong to the cell's type. */
export function writeCell(cell: Cell, value: AbiValue, access: SlotAccess): void {
  const { type, slot } = cell;
  if (type.kind === "value") writeValue(cell, type, value, access);
  else if (type.kind === "bytes" || type.kind === "string") {
    keyEncoder(BYTES_OR_STRING[type.kind])(value); // Checks the value.
    writeBytes(
      slot,
      type.kind === "string" ? utf8ToBytes(value as string) : fromHex(value as string),
      access,
    );
  } else throw new StorageError({ code: "STORAGE_PATH", problem: `writing a whole ${type.kind}` });
}

const BYTES_OR_STRING = { bytes: { kind: "bytes" }, string: { kind: "string" } } as const;

type ValueType = StorageType & { readonly kind: "value" };

function writeValue(cell: Cell, type: ValueType, value: AbiValue, access: SlotAccess): void {
  const bits = packValue(type, value);
  if (type.size === 32) {
    access.store(cell.slot, bits, cell.key);
    return;
  }
  const shift = BigInt(8 * cell.offset);
  const others = access.load(cell.slot, cell.key) & ~(lowBits(type.size) << shift);
  access.store(cell.slot, others | (bits << shift), cell.key);
}

function lowBits(size: number): bigint {
  return (1n << BigInt(8 * size)) - 1n;
}

const valueEncoders = new WeakMap<AbiType, ReturnType<typeof compileEncoder>>();

/** The value's bytes as an integer: ABI words are right-aligned, but `bytesN` are left-aligned. */
function packValue({ type, size }: ValueType, value: AbiValue): bigint {
  // An unsigned integer is its bytes. One that does not fit is left to the encoder, which says so.
  if (type.kind === "uint" && typeof value === "bigint" && BigInt.asUintN(8 * size, value) === value)
    return value;
  let encode = valueEncoders.get(type);
  if (encode === undefined) {
    encode = compileEncoder([{ name: "", type, indexed: false }]);
    valueEncoders.set(type, encode);
  }
  const word = encode([value]);
  return bytesToBigInt(type.kind === "fixedBytes" ? word.subarray(0, size) : word.subarray(32 - size));
}

/** Takes the low bytes of `word` only: storage cannot be refused, so bits above the type mean nothing. */
function unpackValue({ type, size }: ValueType, word: bigint): AbiValue {
  const bits = word & lowBits(size);
  if (type.kind === "uint") return bits;
  if (type.kind === "int") return BigInt.asIntN(8 * size, bits);
  if (type.kind === "bool") return bits !== 0n;
  return `0x${bits.toString(16).padStart(2 * size, "0")}`;
}

/** Up to 31 bytes lie in the slot with twice their number in the lowest byte; else the slot says 2·length + 1. */
function readBytes(slot: bigint, access: SlotAccess): Uint8Array {
  const head = access.load(slot);
  const length = byteLength(head);
  if (length <= SHORT_LIMIT && (head & 1n) === 0n) return bigIntToBytes(head, 32).slice(0, length);
  access.chargeHash(32);
  const first = dataSlot(slot);
  const words: Uint8Array[] = [];
  for (let i = 0; i < Math.ceil(length / 32); i++) {
    words.push(bigIntToBytes(access.load(addSlots(first, BigInt(i))), 32));
  }
  return concatBytes(...words).slice(0, length);
}

function byteLength(head: bigint): number {
  const length = (head & 1n) === 0n ? (head & 0xffn) >> 1n : head >> 1n;
  const isValid = (head & 1n) === 0n ? length <= SHORT_LIMIT : length < STORED_BYTES_LIMIT;
  if (!isValid) throw new StorageError({ code: "STORAGE_PATH", problem: "not the head of bytes" });
  return Number(length);
}

function writeBytes(slot: bigint, bytes: Uint8Array, access: SlotAccess): void {
  const oldHead = access.load(slot);
  const oldWords = (oldHead & 1n) === 1n ? Math.ceil(byteLength(oldHead) / 32) : 0;
  const isShort = bytes.length <= SHORT_LIMIT;
  const newWords = isShort ? 0 : Math.ceil(bytes.length / 32);
  const padded = concatBytes(bytes, new Uint8Array(-bytes.length & 31));
  if (isShort) {
    const content = bytes.length === 0 ? EMPTY_BYTES : padded;
    access.store(slot, bytesToBigInt(content) | BigInt(2 * bytes.length));
  } else access.store(slot, BigInt(2 * bytes.length + 1));
  if (oldWords + newWords === 0) return;
  access.chargeHash(32);
  const first = dataSlot(slot);
  for (let i = 0; i < Math.max(oldWords, newWords); i++) {
    const word = i < newWords ? bytesToBigInt(padded.subarray(32 * i, 32 * i + 32)) : 0n;
    access.store(addSlots(first, BigInt(i)), word);
  }
}

/** Elements in an array cell. */
export function arrayLength(cell: Cell, access: SlotAccess): bigint {
  const type = arrayType(cell);
  return type.length === undefined ? access.load(cell.slot) : BigInt(type.length);
}

/** Grows a dynamic array by one element, which is zero, and returns its cell. */
export function pushElement(cell: Cell, access: SlotAccess): Cell {
  const type = arrayType(cell);
  if (type.length !== undefined)
    throw new StorageError({ code: "STORAGE_PATH", problem: "push to a fixed array" });
  const length = access.load(cell.slot);
  access.store(cell.slot, length + 1n);
  return elementAt(cell, type, length, access);
}

/** Clears the last element and shrinks the array. @throws StorageError STORAGE_INDEX_OUT_OF_BOUNDS when empty. */
export function popElement(cell: Cell, access: SlotAccess): void {
  const type = arrayType(cell);
  if (type.length !== undefined)
    throw new StorageError({ code: "STORAGE_PATH", problem: "pop of a fixed array" });
  const length = access.load(cell.slot);
  if (length === 0n) throw new StorageError({ code: "STORAGE_INDEX_OUT_OF_BOUNDS" });
  clearCell(elementAt(cell, type, length - 1n, access), access);
  access.store(cell.slot, length - 1n);
}

function arrayType(cell: Cell): ArrayType {
  if (cell.type.kind !== "array") throw new StorageError({ code: "STORAGE_PATH", problem: "not an array" });
  return cell.type;
}

/** Zeroes a cell and all it contains, but mappings, whose keys nobody knows: Solidity's `delete`. */
export function clearCell(cell: Cell, access: SlotAccess): void {
  const { type, slot } = cell;
  if (type.kind === "value") {
    const others = access.load(slot) & ~(lowBits(type.size) << BigInt(8 * cell.offset));
    access.store(slot, others);
  } else if (type.kind === "bytes" || type.kind === "string") writeBytes(slot, EMPTY_BYTES, access);
  else if (type.kind === "struct") {
    for (const field of type.fields) {
      clearCell(fieldCell(slot, field), access);
    }
  } else if (type.kind === "array") clearArray(cell, type, access);
}

function clearArray(cell: Cell, type: ArrayType, access: SlotAccess): void {
  const length = arrayLength(cell, access);
  if (type.element.kind === "value") {
    const first = firstElement(cell, type, access);
    const slots = slotsOfElements(type.element, length);
    for (let i = 0n; i < slots; i++) access.store(addSlots(first, i), 0n);
  } else for (let i = 0n; i < length; i++) clearCell(elementAt(cell, type, i, access), access);
  if (type.length === undefined) access.store(cell.slot, 0n);
}
