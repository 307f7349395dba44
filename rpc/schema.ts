/** Schemas of JSON-RPC values: what a parameter or result looks like on the wire, and what it means. See specs/rpc/schemas.md. */
import { type Address, fromHex, type Hash, toHex } from "../primitives/bytes.ts";
import { isJsonObject, type Json } from "./json.ts";
import { arrayOf, HEX, type JsonSchema, mapTo, orNull } from "./json-schema.ts";

/** One shape of JSON with its meaning: the server reads parameters with it, the client results. */
export type Schema<T> = {
  /** Completes the sentence "expected …"; also the text of the reference. */
  readonly expects: string;
  /** The same for programs. */
  readonly shape: JsonSchema;
  /** Whether the caller may leave it out. */
  readonly isOptional?: boolean;
  /** @throws SchemaError naming `at`, the path to the value. */
  read(json: unknown, at: string): T;
  write(value: T): Json;
};

/** JSON that does not have the shape asked for. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  /** Path to the offending value, such as `transaction.from`. */
  readonly at: string;
  readonly problem: string;

  constructor(at: string, problem: string) {
    super(`${at}: ${problem}`);
    this.at = at;
    this.problem = problem;
  }
}

const DIGITS = /^[0-9a-fA-F]*$/;

/** Hex digits after the prefix, or a SchemaError in the words geth uses. */
function hexDigits(json: unknown, at: string, expects: string): string {
  if (typeof json !== "string") throw new SchemaError(at, `expected ${expects}`);
  if (json === "") throw new SchemaError(at, "empty hex string");
  if (!json.startsWith("0x") && !json.startsWith("0X")) {
    throw new SchemaError(at, "hex string without 0x prefix");
  }
  const digits = json.slice(2);
  if (!DIGITS.test(digits)) throw new SchemaError(at, "invalid hex string");
  return digits;
}

function quantityDigits(json: unknown, at: string, expects: string): string {
  const digits = hexDigits(json, at, expects);
  if (digits === "") throw new SchemaError(at, 'hex string "0x"');
  if (digits.length > 1 && digits.startsWith("0")) {
    throw new SchemaError(at, "hex number with leading zero digits");
  }
  return digits;
}

/** QUANTITY: an unsigned integer of at most 256 bits, without leading zeros. */
export const quantity: Schema<bigint> = {
  expects: "a quantity: 0x-prefixed hex without leading zeros",
  shape: HEX.quantity,
  read(json, at) {
    const digits = quantityDigits(json, at, quantity.expects);
    if (digits.length > 64) throw new SchemaError(at, "hex number > 256 bits");
    return BigInt(`0x${digits}`);
  },
  write: toQuantity,
};

/** A quantity that counts blocks, indices and the like; above 2^53 - 1 it is an error. */
export const count: Schema<number> = {
  expects: "a quantity below 2^53",
  shape: HEX.quantity,
  read(json, at) {
    const digits = quantityDigits(json, at, count.expects);
    const value = digits.length > 14 ? Number.POSITIVE_INFINITY : Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(value)) throw new SchemaError(at, "hex number > 53 bits");
    return value;
  },
  write: toQuantity,
};

/** Clients send some counts as a quantity or as a plain number. */
export function numberOrCount(expects: string): Schema<number> {
  return {
    expects,
    shape: { anyOf: [HEX.quantity, { type: "integer", minimum: 0 }] },
    read: (json, at) =>
      typeof json === "number" && Number.isSafeInteger(json) && json >= 0 ? json : count.read(json, at),
    write: toQuantity,
  };
}

/** DATA: bytes, two hex digits each. */
export const data: Schema<Uint8Array> = {
  expects: "data: 0x-prefixed hex, two digits per byte",
  shape: HEX.data,
  read(json, at) {
    const digits = hexDigits(json, at, data.expects);
    if (digits.length % 2 === 1) throw new SchemaError(at, "hex string of odd length");
    return fromHex(`0x${digits}`);
  },
  write: toHex,
};

function fixedHex(expects: string, length: number, shape: JsonSchema): Schema<Hash> {
  return {
    expects,
    shape,
    read(json, at) {
      const digits = hexDigits(json, at, expects);
      if (digits.length !== 2 * length) {
        throw new SchemaError(at, `hex string has length ${digits.length}, want ${2 * length}`);
      }
      return `0x${digits.toLowerCase()}`;
    },
    write: (value) => value,
  };
}

export const hash: Schema<Hash> = fixedHex("32 bytes as 0x-prefixed hex", 32, HEX.hash);
/** Any case is accepted: the checksum of EIP-55 is for people, not for the wire. */
export const address: Schema<Address> = fixedHex("an address: 20 bytes as 0x-prefixed hex", 20, HEX.address);

/** A storage slot: up to 32 bytes of hex, shorter ones padded on the left. */
export const storageSlot: Schema<Hash> = {
  expects: "a storage slot: at most 32 bytes as hex",
  shape: HEX.slot,
  read(json, at) {
    if (typeof json !== "string") throw new SchemaError(at, `expected ${storageSlot.expects}`);
    const digits = /^0x/i.test(json) ? json.slice(2) : json;
    if (!DIGITS.test(digits)) throw new SchemaError(at, `invalid hex in storage key: ${quote(json)}`);
    if (digits.length > 64) {
      throw new SchemaError(at, `storage key too long (want at most 32 bytes): ${quote(json)}`);
    }
    return `0x${digits.toLowerCase().padStart(64, "0")}`;
  },
  write: (value) => value,
};

export const boolean: Schema<boolean> = {
  expects: "true or false",
  shape: { type: "boolean" },
  read(json, at) {
    if (typeof json !== "boolean") throw new SchemaError(at, "expected true or false");
    return json;
  },
  write: (value) => value,
};

export const text: Schema<string> = {
  expects: "a string",
  shape: { type: "string" },
  read(json, at) {
    if (typeof json !== "string") throw new SchemaError(at, "expected a string");
    return json;
  },
  write: (value) => value,
};

/** The longest excerpt of a caller's text an error repeats: an over-long key still shows whole. */
const QUOTE_LIMIT = 80;

export function quote(json: string): string {
  return JSON.stringify(json.length > QUOTE_LIMIT ? `${json.slice(0, QUOTE_LIMIT)}…` : json);
}

/** Left out, or null: `fallback`. */
export function optional<T>(schema: Schema<T>, fallback: T): Schema<T>;
export function optional<T>(schema: Schema<T>): Schema<T | undefined>;
export function optional<T>(schema: Schema<T>, fallback?: T): Schema<T | undefined> {
  return {
    expects: `${schema.expects}, or nothing`,
    shape: orNull(schema.shape),
    isOptional: true,
    read: (json, at) => (json === undefined || json === null ? fallback : schema.read(json, at)),
    write: (value) => (value === undefined ? null : schema.write(value)),
  };
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    expects: `${schema.expects}, or null`,
    shape: orNull(schema.shape),
    read: (json, at) => (json === null ? null : schema.read(json, at)),
    write: (value) => (value === null ? null : schema.write(value)),
  };
}

/** A list of at most `limit` members. `tooMany` is the text when there are more. */
export function listOf<T>(
  schema: Schema<T>,
  limit: number,
  tooMany = `more than ${limit} members`,
): Schema<readonly T[]> {
  const expects = `a list; each member is ${schema.expects}`;
  return {
    expects,
    shape: arrayOf(schema.shape),
    read(json, at) {
      if (!Array.isArray(json)) throw new SchemaError(at, `expected ${expects}`);
      if (json.length > limit) throw new SchemaError(at, tooMany);
      return json.map((member, index) => schema.read(member, `${at}[${index}]`));
    },
    write: (values) => values.map((value) => schema.write(value)),
  };
}

/** An object used as a map. `tooMany` is the text when it has more than `limit` members. */
export function mapOf<K extends string, V>(
  expects: string,
  key: Schema<K>,
  value: Schema<V>,
  { limit, tooMany = `more than ${limit} members` }: { readonly limit: number; readonly tooMany?: string },
): Schema<ReadonlyMap<K, V>> {
  return {
    expects,
    shape: mapTo(value.shape),
    read(json, at) {
      if (!isJsonObject(json)) throw new SchemaError(at, `expected ${expects}`);
      const entries = Object.entries(json);
      if (entries.length > limit) throw new SchemaError(at, tooMany);
      return new Map(
        entries.map(([name, member]) => [key.read(name, at), value.read(member, `${at}.${name}`)]),
      );
    },
    write: (map) => Object.fromEntries([...map].map(([name, member]) => [name, value.write(member)])),
  };
}

export type Fields = { readonly [name: string]: Schema<unknown> };
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Schema<infer T> ? T : never;
};

/** An object with these fields. Unknown fields are ignored, since clients add their own. */
export function objectOf<F extends Fields>(expects: string, fields: F): Schema<ValuesOf<F>> {
  return {
    expects,
    shape: objectShape(fields),
    read(json, at) {
      if (!isJsonObject(json)) throw new SchemaError(at, `expected ${expects}`);
      const values: { [name: string]: unknown } = {};
      for (const [name, schema] of Object.entries(fields)) {
        values[name] = schema.read(json[name], `${at}.${name}`);
      }
      return values as ValuesOf<F>;
    },
    write(values) {
      const json: { [name: string]: Json } = {};
      for (const [name, schema] of Object.entries(fields)) json[name] = schema.write(values[name]);
      return json;
    },
  };
}

function objectShape(fields: Fields): JsonSchema {
  const entries = Object.entries(fields);
  return {
    type: "object",
    required: entries.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])),
  };
}

/** A result that is built as JSON in the first place, such as a block: passed through as it is. */
export function asJson<T extends Json>(expects: string, shape: JsonSchema): Schema<T> {
  return { expects, shape, read: (json) => json as T, write: (value) => value };
}

export function toQuantity(value: bigint | number): `0x${string}` {
  return `0x${value.toString(16)}`;
}
