/** Encodes values as the Solidity ABI lays them out; one compiled encoder per list of types. See specs/vm/contract/abi.md. */
import { fromHex, utf8ToBytes } from "../../primitives/bytes.ts";
import {
  AbiError,
  type AbiParameter,
  type AbiType,
  type AbiValue,
  canonicalType,
  headSize,
  headSizeOfAll,
  isDynamic,
  isNamed,
} from "./abi-type.ts";

export type AbiEncoder = (values: readonly AbiValue[]) => Uint8Array;

/**
 * An encoder of argument lists, to be kept: compiling costs more than encoding.
 * The encoder throws AbiError when a value does not belong to its type.
 */
export function compileEncoder(parameters: readonly AbiParameter[]): AbiEncoder {
  const write = compileSequence(parameters);
  return (values) => {
    sharedWriter.begin();
    write(sharedWriter, values);
    return sharedWriter.finish();
  };
}

/** Writes one value at `position` when its type is static, else at the end of what was written. */
type WriteValue = (writer: Writer, value: AbiValue, position: number) => void;

const WORD = 32;
/** Bytes a writer keeps from one encoding to the next. */
const KEPT_SIZE = 4_096;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** A buffer that grows. */
class Writer {
  #bytes = new Uint8Array(KEPT_SIZE);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  begin(): void {
    this.length = 0;
    if (this.#bytes.length <= KEPT_SIZE) return;
    this.#bytes = new Uint8Array(KEPT_SIZE);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Appends `size` zero bytes and returns where they begin. */
  reserve(size: number): number {
    const start = this.length;
    this.length += size;
    if (this.length <= this.#bytes.length) {
      // What an earlier encoding left.
      this.#bytes.fill(0, start, this.length);
      return start;
    }
    const grown = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, start));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    return start;
  }

  number(value: number, position: number): void {
    this.#view.setBigUint64(position + 24, BigInt(value));
  }

  /** Negative numbers in two's complement: the shifts are arithmetic and the stores take the low bits. */
  word(value: bigint, position: number): void {
    if (value >= 0n && value <= MAX_UINT64) {
      this.#view.setBigUint64(position + 24, value);
      return;
    }
    this.#view.setBigUint64(position, BigInt.asUintN(64, value >> 192n));
    this.#view.setBigUint64(position + 8, BigInt.asUintN(64, value >> 128n));
    this.#view.setBigUint64(position + 16, BigInt.asUintN(64, value >> 64n));
    this.#view.setBigUint64(position + 24, BigInt.asUintN(64, value));
  }

  set(bytes: Uint8Array, position: number): void {
    this.#bytes.set(bytes, position);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** Encoding one value calls nothing that encodes another, and a buffer of its own would cost most of a small one. */
const sharedWriter = new Writer();

/** Heads of all members, then the tails of the dynamic ones, which the heads refer to by offset. */
function compileSequence(
  parameters: readonly AbiParameter[],
): (writer: Writer, values: readonly AbiValue[]) => void {
  const writers = parameters.map(({ type }) => compileValue(type));
  const isReference = parameters.map(({ type }) => isDynamic(type));
  const sizes = parameters.map(({ type }) => headSize(type));
  const total = headSizeOfAll(parameters);
  return (writer, values) => {
    checkLength("arguments", parameters.length, values.length);
    const base = writer.reserve(total);
    let position = base;
    for (const [i, write] of writers.entries()) {
      if (isReference[i]) writer.number(writer.length - base, position);
      write(writer, values[i] as AbiValue, position);
      position += sizes[i] ?? 0;
    }
  };
}

function compileValue(type: AbiType): WriteValue {
  switch (type.kind) {
    case "uint":
    case "int":
      return compileInteger(type.kind === "int", type.bits);
    case "bool":
      return (writer, value, position) => {
        if (typeof value !== "boolean") wrongType("bool", value);
        writer.number(value ? 1 : 0, position);
      };
    case "address":
      return (writer, value, position) => {
        if (typeof value !== "string" || !ADDRESS.test(value)) wrongType("address", value);
        writer.set(fromHex(value), position + 12);
      };
    case "fixedBytes":
      return (writer, value, position) => {
        const bytes = hexBytes(canonicalType(type), value);
        checkLength(canonicalType(type), type.size, bytes.length);
        writer.set(bytes, position);
      };
    case "bytes":
      return (writer, value) => writeBytes(writer, hexBytes("bytes", value));
    case "string":
      return (writer, value) => writeBytes(writer, stringBytes(value));
    case "array":
      return compileArray(type.element, type.length, canonicalType(type));
    case "tuple":
      return compileTuple(type.members, canonicalType(type));
  }
}

function compileInteger(isSigned: boolean, bits: number): WriteValue {
  const name = `${isSigned ? "int" : "uint"}${bits}`;
  const limit = 1n << BigInt(isSigned ? bits - 1 : bits);
  const minimum = isSigned ? -limit : 0n;
  return (writer, value, position) => {
    if (typeof value !== "bigint") wrongType(name, value);
    if (value < minimum || value >= limit) throw new AbiError({ code: "ABI_OUT_OF_RANGE", type: name });
    writer.word(value, position);
  };
}

function compileArray(element: AbiType, length: number | undefined, name: string): WriteValue {
  const write = compileValue(element);
  const isReference = isDynamic(element);
  const size = headSize(element);
  const isStatic = length !== undefined && !isReference;
  return (writer, value, start) => {
    if (!Array.isArray(value)) wrongType(name, value);
    if (length === undefined) writer.number(value.length, writer.reserve(WORD));
    else checkLength(name, length, value.length);
    const base = isStatic ? start : writer.reserve(value.length * size);
    for (let i = 0; i < value.length; i++) {
      const position = base + i * size;
      if (isReference) writer.number(writer.length - base, position);
      write(writer, value[i] as AbiValue, position);
    }
  };
}

function compileTuple(members: readonly AbiParameter[], name: string): WriteValue {
  const names = isNamed(members) ? members.map((member) => member.name) : undefined;
  const writeSequence = compileSequence(members);
  const writers = members.map(({ type }) => compileValue(type));
  const sizes = members.map(({ type }) => headSize(type));
  const isReference = members.some(({ type }) => isDynamic(type));
  return (writer, value, start) => {
    const values = tupleValues(names, name, value);
    if (isReference) {
      writeSequence(writer, values);
      return;
    }
    checkLength(name, members.length, values.length);
    let position = start;
    for (const [i, write] of writers.entries()) {
      write(writer, values[i] as AbiValue, position);
      position += sizes[i] ?? 0;
    }
  };
}

function tupleValues(
  names: readonly string[] | undefined,
  type: string,
  value: AbiValue,
): readonly AbiValue[] {
  if (Array.isArray(value)) return value;
  if (names === undefined || typeof value !== "object" || value === null) wrongType(type, value);
  const object = value as { readonly [member: string]: AbiValue };
  return names.map((name) => {
    if (!Object.hasOwn(object, name)) wrongType(`${type} with a member "${name}"`, value);
    return object[name] as AbiValue;
  });
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  const start = writer.reserve(WORD + Math.ceil(bytes.length / WORD) * WORD);
  writer.number(bytes.length, start);
  writer.set(bytes, start + WORD);
}

function hexBytes(type: string, value: AbiValue): Uint8Array {
  if (typeof value !== "string" || !HEX.test(value)) wrongType(type, value);
  return fromHex(value);
}

/** A lone surrogate has no UTF-8 form, and TextEncoder would quietly replace it. */
function stringBytes(value: AbiValue): Uint8Array {
  if (typeof value !== "string") wrongType("string", value);
  if (LONE_SURROGATE.test(value)) wrongType("string of whole characters", value);
  return utf8ToBytes(value);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function checkLength(type: string, expected: number, actual: number): void {
  if (expected !== actual) throw new AbiError({ code: "ABI_WRONG_LENGTH", type, expected, actual });
}

function wrongType(expected: string, value: unknown): never {
  const actual = Array.isArray(value)
    ? "array"
    : typeof value === "string"
      ? JSON.stringify(value)
      : typeof value;
  throw new AbiError({ code: "ABI_WRONG_TYPE", expected, actual: actual.slice(0, 80) });
}
