/** How values cross to the host and back. See specs/vm/contract/host-functions.md#wire. */
import type { Kind } from "../../vm/contract/operation.ts";
import { type Flat, host } from "./host.ts";

/**
 * Makes of a value what the host takes. Undefined where the value crosses as it is, integers and texts: then the host
 * checks its type, and a call is saved.
 */
export type Pack = ((value: unknown) => Flat) | undefined;
/** The value of what crossed; undefined where it crosses as it is. */
export type Unpack = ((flat: Flat) => unknown) | undefined;

function wrongType(expected: string, value: unknown): never {
  throw new TypeError(`expected ${expected}, got ${value === null ? "null" : typeof value}`);
}

function integerText(value: unknown): string {
  return typeof value === "bigint" ? value.toString(16) : wrongType("bigint", value);
}

function packBoolean(value: unknown): number {
  return typeof value === "boolean" ? (value ? 1 : 0) : wrongType("boolean", value);
}

function checkText(value: unknown): string {
  return typeof value === "string" ? value : wrongType("string", value);
}

export function compilePack(kind: Kind): Pack {
  if (kind === "i" || kind === "s") return undefined;
  if (kind === "b") return packBoolean;
  const toPlain = compileToPlain(kind);
  return (value) => JSON.stringify(toPlain(value));
}

export function applyPack(pack: Pack, value: unknown): Flat {
  return pack === undefined ? (value as Flat) : pack(value);
}

export function compileUnpack(kind: Kind): Unpack {
  if (kind === "i" || kind === "s") return undefined;
  if (kind === "b") return (flat) => flat === 1;
  const fromPlain = compileFromPlain(kind);
  return (flat) => fromPlain(JSON.parse(flat as string));
}

export function applyUnpack(unpack: Unpack, flat: Flat): unknown {
  return unpack === undefined ? flat : unpack(flat);
}

/** Results are text always. */
export function compileResult(kind: Kind): (value: unknown) => string {
  if (kind === "i") return integerText;
  if (kind === "b") return (value) => (packBoolean(value) === 1 ? "1" : "0");
  if (kind === "s") return checkText;
  const toPlain = compileToPlain(kind);
  return (value) => JSON.stringify(toPlain(value));
}

/** A copy made of arrays, strings and booleans only, so that nothing of the author's runs while it is written. */
function compileToPlain(kind: Kind): (value: unknown) => unknown {
  if (kind === "i") return integerText;
  if (kind === "b") return (value) => packBoolean(value) === 1;
  if (kind === "s") return checkText;
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

/** The value of what JSON.parse gave; integers arrive as numbers or as decimal or 0x text. */
export function compileFromPlain(kind: Kind): (plain: unknown) => unknown {
  if (kind === "i") return BigInt as (plain: unknown) => bigint;
  if (kind === "b" || kind === "s") return (plain) => plain;
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

/** A key or index as a step of a storage path: text without a comma. Undefined where it crosses as it is. */
export function compileKey(kind: Kind, isText: boolean): ((key: unknown) => string) | undefined {
  if (kind === "i") return integerText;
  if (kind === "b") return (key) => String(packBoolean(key));
  return isText ? (key) => encodeURIComponent(checkText(key)) : undefined;
}

/**
 * Calls the host with an operation, a number and the values of an event or error: from one object by name, or from a
 * list. Spread is what a call costs most, so the common lengths are written out where values cross as they are.
 */
export function compileHostCall(
  operation: number,
  id: number,
  kinds: readonly Kind[],
  names: readonly string[] | undefined,
): (values: Record<string | number, Flat>) => unknown {
  const packs = kinds.map(compilePack);
  const keys = (names ?? kinds.map((_kind, i) => i)) as readonly [string, string, string, string];
  const isPlain = packs.every((pack) => pack === undefined);
  if (!isPlain) {
    return (values) =>
      host(operation, id, ...packs.map((pack, i) => applyPack(pack, values[keys[i] as string])));
  }
  const [k0, k1, k2, k3] = keys;
  switch (kinds.length) {
    case 0:
      return () => host(operation, id);
    case 1:
      return (values) => host(operation, id, values[k0]);
    case 2:
      return (values) => host(operation, id, values[k0], values[k1]);
    case 3:
      return (values) => host(operation, id, values[k0], values[k1], values[k2]);
    case 4:
      return (values) => host(operation, id, values[k0], values[k1], values[k2], values[k3]);
    default:
      return (values) => host(operation, id, ...keys.map((key) => values[key]));
  }
}
