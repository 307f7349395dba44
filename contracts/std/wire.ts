/** How values cross to the host and back. See specs/vm/contract/host-functions.md#wire. */
import type { Kind } from "../../vm/contract/operation.ts";
import { host } from "./host.ts";

/** A value as it crosses when it stands alone. */
export type Flat = string | number;
export type Pack = (value: never) => Flat;
export type Unpack = (flat: Flat) => unknown;

function wrongType(expected: string, value: unknown): never {
  throw new TypeError(`expected ${expected}, got ${value === null ? "null" : typeof value}`);
}

export function packInteger(value: unknown): string {
  return typeof value === "bigint" ? value.toString(16) : wrongType("bigint", value);
}

function packBoolean(value: unknown): number {
  return typeof value === "boolean" ? (value ? 1 : 0) : wrongType("boolean", value);
}

function packText(value: unknown): string {
  return typeof value === "string" ? value : wrongType("string", value);
}

/** Values that stand alone are a number or a text; arrays and tuples are JSON. */
export function compilePack(kind: Kind): Pack {
  if (kind === "i") return packInteger;
  if (kind === "b") return packBoolean;
  if (kind === "s") return packText;
  const toPlain = compileToPlain(kind);
  return (value) => JSON.stringify(toPlain(value));
}

export function compileUnpack(kind: Kind): Unpack {
  if (kind === "i") return BigInt;
  if (kind === "b") return (flat) => flat === 1;
  if (kind === "s") return (flat) => flat;
  const fromPlain = compileFromPlain(kind);
  return (flat) => fromPlain(JSON.parse(flat as string));
}

/** A copy made of arrays, strings and booleans only, so that nothing of the author's runs while it is written. */
function compileToPlain(kind: Kind): (value: unknown) => unknown {
  if (kind === "i") return packInteger;
  if (kind === "b") return (value) => (typeof value === "boolean" ? value : wrongType("boolean", value));
  if (kind === "s") return packText;
  if ("each" in kind) {
    const element = compileToPlain(kind.each);
    return (value) => {
      if (!Array.isArray(value)) wrongType("array", value);
      const plain: unknown[] = [];
      for (let i = 0; i < value.length; i++) plain.push(element(value[i]));
      return plain;
    };
  }
  const members = kind.members.map(compileToPlain);
  const { names } = kind;
  return (value) => {
    if (typeof value !== "object" || value === null) wrongType("tuple", value);
    const isList = Array.isArray(value);
    if (isList && value.length !== members.length) wrongType(`tuple of ${members.length}`, value);
    if (!isList && names === undefined) wrongType("array", value);
    const source = value as Record<string | number, unknown>;
    return members.map((member, i) => member(source[isList ? i : (names?.[i] ?? i)]));
  };
}

/** The value of what JSON.parse made; integers arrive as numbers or as decimal or 0x text. */
export function compileFromPlain(kind: Kind): (plain: unknown) => unknown {
  if (kind === "i") return BigInt as (plain: unknown) => bigint;
  if (kind === "b") return (plain) => plain === true || plain === "1";
  if (kind === "s") return (plain) => plain;
  if ("each" in kind) {
    const element = compileFromPlain(kind.each);
    return (plain) => (plain as unknown[]).map(element);
  }
  const members = kind.members.map(compileFromPlain);
  const { names } = kind;
  if (names === undefined) return (plain) => members.map((member, i) => member((plain as unknown[])[i]));
  return (plain) => {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) {
      object[names[i] as string] = members[i]?.((plain as unknown[])[i]);
    }
    return object;
  };
}

/** A key or index as a step of a storage path: text without a comma. */
export function compileKey(kind: Kind, isText: boolean): (key: unknown) => string {
  if (kind === "i") return packInteger;
  if (kind === "b") return (key) => String(packBoolean(key));
  return isText ? (key) => encodeURIComponent(packText(key)) : packText;
}

/** The values of an event's or error's parameters: by name from one object, or positional. */
export function argumentReader(
  names: readonly string[] | undefined,
): (args: readonly unknown[], index: number) => unknown {
  if (names === undefined) return (args, index) => args[index];
  return (args, index) => (args[0] as Record<string, unknown> | undefined)?.[names[index] as string];
}

/**
 * Calls the host with an operation's number and packed values. Spread is what a call costs most, so the common
 * lengths are written out.
 */
export function compileHostCall(
  operation: number,
  id: number,
  kinds: readonly Kind[],
  names: readonly string[] | undefined,
): (args: readonly unknown[]) => unknown {
  const packs = kinds.map(compilePack);
  const read = argumentReader(names);
  const flat = (args: readonly unknown[], index: number): Flat =>
    (packs[index] as Pack)(read(args, index) as never);
  switch (kinds.length) {
    case 0:
      return () => host(operation, id);
    case 1:
      return (args) => host(operation, id, flat(args, 0));
    case 2:
      return (args) => host(operation, id, flat(args, 0), flat(args, 1));
    case 3:
      return (args) => host(operation, id, flat(args, 0), flat(args, 1), flat(args, 2));
    default:
      return (args) => host(operation, id, ...packs.map((_pack, index) => flat(args, index)));
  }
}
