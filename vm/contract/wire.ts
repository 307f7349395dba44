/** The host's end of the values that cross to and from a contract. See specs/vm/contract/host-functions.md#wire. */

import type { GuestValue, HostArguments } from "../engine/host.ts";
import {
  AbiError,
  type AbiParameter,
  type AbiType,
  type AbiValue,
  canonicalType,
  isNamed,
} from "./abi-type.ts";
import type { Kind } from "./operation.ts";

/** What JSON carries. Integers are numbers below 2^53, else text. */
type Plain = string | number | boolean | readonly Plain[];

export function kindOf(type: AbiType): Kind {
  switch (type.kind) {
    case "uint":
    case "int":
      return "i";
    case "bool":
      return "b";
    case "array":
      return { each: kindOf(type.element) };
    case "tuple":
      return {
        members: kindsOf(type.members),
        ...(isNamed(type.members) && { names: type.members.map(({ name }) => name) }),
      };
    default:
      return "s";
  }
}

export function kindsOf(parameters: readonly AbiParameter[]): Kind[] {
  return parameters.map(({ type }) => kindOf(type));
}

/** Whether a value crosses as it is rather than as JSON. */
function isFlat(type: AbiType): boolean {
  return type.kind !== "array" && type.kind !== "tuple";
}

/** The value the guest passed as argument `index`. It is not checked to fit its type: encoders do that. */
export function readArgument(args: HostArguments, index: number, type: AbiType): AbiValue {
  if (type.kind === "bool") return args.int(index) !== 0;
  if (type.kind === "uint" || type.kind === "int") return args.bigInt(index);
  const text = args.text(index);
  return isFlat(type) ? text : fromPlain(type, parseWire(text));
}

/** A step of a storage path that names a key or an index. Text is escaped, so that it has no comma. */
export function readStep(text: string, type: AbiType): AbiValue {
  if (type.kind === "uint" || type.kind === "int") return readInteger(text);
  if (type.kind === "bool") return text === "1";
  if (type.kind !== "string") return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return wrongWire("a storage path");
  }
}

export function readArguments(
  args: HostArguments,
  from: number,
  parameters: readonly AbiParameter[],
): AbiValue[] {
  return parameters.map(({ type }, i) => readArgument(args, from + i, type));
}

/** The values an entry returned: one as it is, several as a JSON array. */
export function readResult(parameters: readonly AbiParameter[], text: string | undefined): AbiValue[] {
  const [only] = parameters;
  if (only === undefined) return [];
  if (text === undefined) wrongWire("a result");
  if (parameters.length > 1)
    return fromPlain({ kind: "tuple", members: parameters }, parseWire(text), true) as AbiValue[];
  const { type } = only;
  if (type.kind === "bool") return [text === "1"];
  if (type.kind === "uint" || type.kind === "int") return [readInteger(text)];
  return [isFlat(type) ? text : fromPlain(type, parseWire(text))];
}

/** JSON of the guest. @throws AbiError */
export function parseWire(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return wrongWire("JSON");
  }
}

const HEX_DIGITS = /^-?[0-9a-f]{1,16384}$/;

/** Hexadecimal digits without a prefix, as `toString(16)` writes them. */
function readInteger(text: string): bigint {
  if (!HEX_DIGITS.test(text)) wrongWire("an integer");
  return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

function fromPlain(type: AbiType, plain: unknown, asList = false): AbiValue {
  if (type.kind === "bool") return typeof plain === "boolean" ? plain : wrongWire("bool");
  if (type.kind === "array") {
    if (!Array.isArray(plain)) wrongWire("array");
    return plain.map((element) => fromPlain(type.element, element));
  }
  if (type.kind === "tuple") {
    if (!Array.isArray(plain) || plain.length !== type.members.length) wrongWire("tuple");
    const values = type.members.map((member, i) => fromPlain(member.type, plain[i]));
    if (asList || !isNamed(type.members)) return values;
    return Object.fromEntries(type.members.map(({ name }, i) => [name, values[i] as AbiValue]));
  }
  if (typeof plain !== "string") wrongWire(canonicalType(type));
  return type.kind === "uint" || type.kind === "int" ? readInteger(plain) : plain;
}

/** Only code that goes around `chain:std` sends something else, and then that code is wrong. */
function wrongWire(expected: string): never {
  throw new AbiError({ code: "ABI_WRONG_TYPE", expected, actual: "something else" });
}

/** A value as it crosses on its own. */
export function toFlat(type: AbiType, value: AbiValue): GuestValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint" || typeof value === "string") return value;
  return JSON.stringify(toPlain(type, value));
}

/** Values as JSON, tuples as arrays. */
export function toPlain(type: AbiType, value: AbiValue): Plain {
  if (typeof value === "bigint") return toPlainInteger(value);
  if (typeof value !== "object") return value;
  if (type.kind === "array")
    return (value as readonly AbiValue[]).map((element) => toPlain(type.element, element));
  if (type.kind !== "tuple") return wrongWire(canonicalType(type));
  return type.members.map((member, i) => {
    const part = Array.isArray(value) ? value[i] : (value as { [name: string]: AbiValue })[member.name];
    return toPlain(member.type, part as AbiValue);
  });
}

export function toPlainList(parameters: readonly AbiParameter[], values: readonly AbiValue[]): Plain[] {
  return parameters.map(({ type }, i) => toPlain(type, values[i] as AbiValue));
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** What the guest's `BigInt()` reads: a number, hexadecimal, or decimal since hexadecimal has no sign there. */
function toPlainInteger(value: bigint): string | number {
  if (value <= MAX_SAFE && value >= -MAX_SAFE) return Number(value);
  return value < 0n ? value.toString() : `0x${value.toString(16)}`;
}
