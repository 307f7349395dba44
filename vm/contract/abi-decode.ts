/** Decodes ABI data strictly; one compiled decoder per list of types. See specs/vm/contract/abi.md. */
import { bytesToUtf8, toHex } from "../../primitives/bytes.ts";
import {
  AbiError,
  type AbiParameter,
  type AbiType,
  type AbiValue,
  headSize,
  isDynamic,
  isNamed,
} from "./abi-type.ts";

export type AbiDecoder = (data: Uint8Array) => AbiValue[];

/**
 * A decoder of argument lists, to be kept: compiling costs more than decoding.
 *
 * The decoder throws AbiError unless the data encodes values of these types. Bytes behind what the types
 * need are allowed, as in Solidity. Work and memory are bounded by the length of the data: an array is
 * checked against the bytes that are left before it is allocated, and no byte pays for two values.
 */
export function compileDecoder(parameters: readonly AbiParameter[]): AbiDecoder {
  const read = compileSequence(parameters);
  return (data) => read(new Reader(data), 0);
}

/** Reads one value whose encoding starts at `position`. */
type ReadValue = (reader: Reader, position: number) => AbiValue;
type ReadValues = (reader: Reader, base: number) => AbiValue[];

const WORD = 32;

class Reader {
  readonly #data: Uint8Array;
  readonly #view: DataView;
  readonly length: number;
  /** Bytes that may still be read. Encodings made by encoders read each byte at most once. */
  #unread: number;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.length);
    this.length = data.length;
    this.#unread = data.length;
  }

  /** Claims `size` bytes at `position`. */
  #take(position: number, size: number): void {
    if (position + size > this.length) throw new AbiError({ code: "ABI_SHORT_DATA", offset: position });
    this.#unread -= size;
    if (this.#unread < 0) throw new AbiError({ code: "ABI_OVERLAPPING_DATA", offset: position });
  }

  uint(position: number): bigint {
    this.#take(position, WORD);
    const view = this.#view;
    const low = view.getBigUint64(position + 24);
    const high = view.getBigUint64(position + 16);
    const top = (view.getBigUint64(position) << 64n) | view.getBigUint64(position + 8);
    if (top === 0n) return high === 0n ? low : (high << 64n) | low;
    return (top << 128n) | (high << 64n) | low;
  }

  /** A word that counts bytes or elements: anything above 32 bits is more than any data holds. */
  size(position: number, code: "ABI_BAD_OFFSET" | "ABI_BAD_LENGTH"): number {
    this.#take(position, WORD);
    const value = this.#view.getUint32(position + 28);
    if (!this.isZero(position, 28) || value > this.length) throw new AbiError({ code, offset: position });
    return value;
  }

  bytes(position: number, size: number): Uint8Array {
    this.#take(position, size);
    return this.#data.subarray(position, position + size);
  }

  isZero(position: number, size: number): boolean {
    for (let i = position; i < position + size; i++) if (this.#data[i] !== 0) return false;
    return true;
  }
}

function compileSequence(parameters: readonly AbiParameter[]): ReadValues {
  const members = parameters.map(({ type }) => ({ read: compileMember(type), size: headSize(type) }));
  return (reader, base) => {
    const values: AbiValue[] = [];
    let position = base;
    for (const { read, size } of members) {
      values.push(read(reader, position, base));
      position += size;
    }
    return values;
  };
}

/** Reads a member of a sequence at `base`: in place, or where the offset in its place points. */
function compileMember(type: AbiType): (reader: Reader, position: number, base: number) => AbiValue {
  const read = compileValue(type);
  if (!isDynamic(type)) return read;
  return (reader, position, base) => {
    const target = base + reader.size(position, "ABI_BAD_OFFSET");
    if (target >= reader.length) throw new AbiError({ code: "ABI_BAD_OFFSET", offset: position });
    return read(reader, target);
  };
}

function compileValue(type: AbiType): ReadValue {
  switch (type.kind) {
    case "uint":
    case "int":
      return compileInteger(type.kind === "int", type.bits);
    case "bool":
      return (reader, position) => {
        const value = reader.uint(position);
        return value > 1n ? dirty(position) : value === 1n;
      };
    case "address":
      return (reader, position) => {
        const word = reader.bytes(position, WORD);
        return reader.isZero(position, 12) ? toHex(word.subarray(12)) : dirty(position);
      };
    case "fixedBytes":
      return (reader, position) => {
        const word = reader.bytes(position, WORD);
        const isClean = reader.isZero(position + type.size, WORD - type.size);
        return isClean ? toHex(word.subarray(0, type.size)) : dirty(position);
      };
    case "bytes":
      return (reader, position) => toHex(readBytes(reader, position));
    case "string":
      return (reader, position) => readString(readBytes(reader, position), position);
    case "array":
      return compileArray(type.element, type.length);
    case "tuple":
      return compileTuple(type.members);
  }
}

function compileInteger(isSigned: boolean, bits: number): ReadValue {
  if (!isSigned) {
    const limit = 1n << BigInt(bits);
    return (reader, position) => {
      const value = reader.uint(position);
      return value < limit ? value : dirty(position);
    };
  }
  return (reader, position) => {
    const value = BigInt.asIntN(256, reader.uint(position));
    return BigInt.asIntN(bits, value) === value ? value : dirty(position);
  };
}

function compileArray(element: AbiType, fixedLength: number | undefined): ReadValue {
  const read = compileMember(element);
  const size = headSize(element);
  return (reader, position) => {
    const length = fixedLength ?? reader.size(position, "ABI_BAD_LENGTH");
    const base = fixedLength === undefined ? position + WORD : position;
    if (length * size > reader.length - base)
      throw new AbiError({ code: "ABI_BAD_LENGTH", offset: position });
    const values: AbiValue[] = [];
    for (let i = 0; i < length; i++) values.push(read(reader, base + i * size, base));
    return values;
  };
}

/** Objects are made with the names as own properties in declaration order, so their shape is always one. */
function compileTuple(members: readonly AbiParameter[]): ReadValue {
  const read = compileSequence(members);
  if (!isNamed(members)) return read;
  const names = members.map(({ name }) => name);
  return (reader, position) => {
    const values = read(reader, position);
    return Object.fromEntries(names.map((name, i) => [name, values[i] as AbiValue]));
  };
}

function readBytes(reader: Reader, position: number): Uint8Array {
  const length = reader.size(position, "ABI_BAD_LENGTH");
  return reader.bytes(position + WORD, length);
}

function readString(bytes: Uint8Array, offset: number): string {
  try {
    return bytesToUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AbiError({ code: "ABI_NOT_UTF8", offset }, { cause: error });
  }
}

function dirty(offset: number): never {
  throw new AbiError({ code: "ABI_DIRTY_BITS", offset });
}
