/** Addresses, hashes and ABI data for contracts; the host computes all of it. See specs/contracts/authoring.md#values. */
import { type Kind, OPERATION } from "../../vm/contract/operation.ts";
import { hostJson, hostText } from "./host.ts";
import { applyPack, compileFromPlain, compilePack, type Pack } from "./wire.ts";

const ADDRESS = /^0x[0-9a-f]{40}$/;

/** An address literal: lower-case, upper-case or with a correct EIP-55 checksum. */
export function address(text: string): string {
  const lower = text.toLowerCase();
  if (!ADDRESS.test(lower)) throw new TypeError(`not an address: ${text}`);
  const digits = text.slice(2);
  if (digits === lower.slice(2) || digits === digits.toUpperCase()) return lower;
  const hash = keccak256(toHex(lower.slice(2)));
  for (let i = 2; i < 42; i++) {
    const isUpper = Number.parseInt(hash[i] as string, 16) >= 8;
    if (text[i] !== (isUpper ? lower[i]?.toUpperCase() : lower[i])) {
      throw new TypeError(`wrong checksum in address ${text}`);
    }
  }
  return lower;
}

export const ZERO = `0x${"0".repeat(40)}`;

/** The UTF-8 bytes of a text, as hex. */
export function toHex(text: string): string {
  return abi.encodePacked("string", text);
}

export function concat(...parts: string[]): string {
  return `0x${parts.map((part) => part.slice(2)).join("")}`;
}

export const keccak256 = (data: string) => hostText(OPERATION.keccak256, data);
export const sha256 = (data: string) => hostText(OPERATION.sha256, data);
export const ripemd160 = (data: string) => hostText(OPERATION.ripemd160, data);

/** The signer's address, or ZERO when nobody's signature looks like this. */
export function ecrecover(digest: string, v: bigint, r: string, s: string): string {
  return hostText(OPERATION.recover, digest, v, r, s);
}

type Types = { readonly id: number; readonly packs: readonly Pack[]; unpack(data: string): unknown[] };

/** Types parsed so far: by the module once and for all, by a call until it ends. */
const parsed = new Map<string, Types>();

export function typesOf(text: string): Types {
  let types = parsed.get(text);
  if (types === undefined) {
    const { id, kinds } = hostJson<{ id: number; kinds: readonly Kind[] }>(OPERATION.parseTypes, text);
    types = compileTypes(id, kinds);
    parsed.set(text, types);
  }
  return types;
}

export function compileTypes(id: number, kinds: readonly Kind[]): Types {
  const readers = kinds.map(compileFromPlain);
  return {
    id,
    packs: kinds.map(compilePack),
    unpack(data) {
      const plain = hostJson<unknown[]>(OPERATION.decode, id, data);
      return readers.map((read, i) => read(plain[i]));
    },
  };
}

function encodeWith(operation: number, text: string, values: unknown[]): string {
  const { id, packs } = typesOf(text);
  if (values.length !== packs.length)
    throw new TypeError(`expected ${packs.length} values, got ${values.length}`);
  return hostText(operation, id, ...packs.map((pack, i) => applyPack(pack, values[i])));
}

export const abi = Object.freeze({
  encode: (types: string, ...values: unknown[]) => encodeWith(OPERATION.encode, types, values),
  encodePacked: (types: string, ...values: unknown[]) => encodeWith(OPERATION.encodePacked, types, values),
  decode: (types: string, data: string) => typesOf(types).unpack(data),
});
