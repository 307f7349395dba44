/** Storage by name: from a contract's layout and its raw words to values a person can read. See specs/vm/contract/storage.md. */
import { bytesToUtf8, fromHex } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import type { StorageLayout, StorageLayoutType } from "../../vm/contract/storage-json.ts";
import type { Hex } from "../node/objects.ts";

/** The 32-byte word at a slot. */
export type ReadWord = (slot: bigint) => Promise<bigint>;

export type StorageValue = {
  readonly path: string;
  readonly type: string;
  readonly slot: bigint;
  readonly value: string;
};

/** Elements of an array that are read; the rest is summed up in a line. */
const ELEMENTS_SHOWN = 16;
/** Bytes of a string or of bytes that are read. */
const BYTES_SHOWN = 1024;
const WORD_BYTES = 32;
const SLOTS_MASK = (1n << 256n) - 1n;

type Place = { readonly slot: bigint; readonly offset: number };

/** A named field; `keys` opens the mappings on the way, one key each. */
export async function readField(
  layout: StorageLayout,
  label: string,
  keys: readonly string[],
  readWord: ReadWord,
): Promise<StorageValue[]> {
  const entry = layout.storage.find((candidate) => candidate.label === label);
  if (entry === undefined) throw new Error(`the layout has no field ${label}`);
  let type = entry.type;
  let slot = BigInt(entry.slot);
  for (const key of keys) {
    const mapping = typeOf(layout, type);
    if (mapping.encoding !== "mapping") throw new Error(`${label} takes fewer keys`);
    slot = mappingSlot(key, layout.types[mapping.key ?? ""]?.label ?? "uint256", slot);
    type = mapping.value ?? "";
  }
  const path = `${label}${keys.map((key) => `[${key}]`).join("")}`;
  return readType(layout, type, path, { slot, offset: entry.offset }, readWord);
}

/** How many keys open `label` down to a value. */
export function keyTypesOf(layout: StorageLayout, label: string): string[] {
  const types: string[] = [];
  let type = layout.storage.find((entry) => entry.label === label)?.type;
  for (;;) {
    const described = type === undefined ? undefined : layout.types[type];
    if (described?.encoding !== "mapping") return types;
    types.push(layout.types[described.key ?? ""]?.label ?? "uint256");
    type = described.value;
  }
}

async function readType(
  layout: StorageLayout,
  typeId: string,
  path: string,
  place: Place,
  readWord: ReadWord,
): Promise<StorageValue[]> {
  const type = typeOf(layout, typeId);
  const one = (value: string): StorageValue[] => [{ path, type: type.label, slot: place.slot, value }];
  if (type.members !== undefined) {
    const members = type.members.map((member) => {
      const at = { slot: place.slot + BigInt(member.slot), offset: member.offset };
      return readType(layout, member.type, `${path}.${member.label}`, at, readWord);
    });
    return (await Promise.all(members)).flat();
  }
  switch (type.encoding) {
    case "mapping":
      return one("a mapping: name a key");
    case "bytes":
      return one(await readBytes(type.label, place.slot, readWord));
    case "dynamic_array": {
      const length = Number(await readWord(place.slot));
      const first = BigInt(hexOf(keccak256(wordBytes(place.slot))));
      const elements = await readElements(layout, type, path, first, length, readWord);
      return [...one(`${length} elements`), ...elements];
    }
    case "inplace": {
      if (type.base !== undefined) {
        const length = Number(/\[(\d+)\]$/.exec(type.label)?.[1] ?? 0);
        return readElements(layout, type, path, place.slot, length, readWord);
      }
      const word = await readWord(place.slot);
      return one(
        readValue(type.label, (word >> BigInt(8 * place.offset)) & maskOf(Number(type.numberOfBytes))),
      );
    }
  }
}

/** Elements smaller than half a word share words, as Solidity packs them. */
async function readElements(
  layout: StorageLayout,
  array: StorageLayoutType,
  path: string,
  first: bigint,
  length: number,
  readWord: ReadWord,
): Promise<StorageValue[]> {
  const base = array.base ?? "";
  const size = Number(typeOf(layout, base).numberOfBytes);
  const perWord = size <= WORD_BYTES / 2 ? Math.floor(WORD_BYTES / size) : 1;
  const slotsEach = BigInt(Math.ceil(size / WORD_BYTES));
  const shown = Array.from({ length: Math.min(length, ELEMENTS_SHOWN) }, (_, index) => {
    const slot =
      perWord > 1 ? first + BigInt(Math.floor(index / perWord)) : first + slotsEach * BigInt(index);
    const place = { slot: slot & SLOTS_MASK, offset: perWord > 1 ? (index % perWord) * size : 0 };
    return readType(layout, base, `${path}[${index}]`, place, readWord);
  });
  return (await Promise.all(shown)).flat();
}

/** Short: in the word with twice the length in its last byte; long: the word is twice the length and one. */
async function readBytes(label: string, slot: bigint, readWord: ReadWord): Promise<string> {
  const word = await readWord(slot);
  const isLong = (word & 1n) === 1n;
  const length = isLong ? Number((word - 1n) / 2n) : Number((word & 0xffn) / 2n);
  let bytes = wordBytes(word).subarray(0, Math.min(length, WORD_BYTES - 1));
  if (isLong) {
    const first = BigInt(hexOf(keccak256(wordBytes(slot))));
    const count = Math.ceil(Math.min(length, BYTES_SHOWN) / WORD_BYTES);
    const words = await Promise.all(
      Array.from({ length: count }, (_, index) => readWord(first + BigInt(index))),
    );
    bytes = fromHex(`0x${words.map((each) => hexOf(wordBytes(each)).slice(2)).join("")}`).subarray(0, length);
  }
  const rest = length > bytes.length ? `… (${length} bytes)` : "";
  return `${label === "string" ? JSON.stringify(bytesToUtf8(bytes)) : hexOf(bytes)}${rest}`;
}

function readValue(label: string, bits: bigint): string {
  if (label === "bool") return bits === 0n ? "false" : "true";
  if (label === "address") return `0x${bits.toString(16).padStart(40, "0")}`;
  const fixed = /^bytes(\d+)$/.exec(label);
  if (fixed !== null) return `0x${bits.toString(16).padStart(Number(fixed[1]) * 2, "0")}`;
  const signed = /^int(\d*)$/.exec(label);
  if (signed === null) return bits.toString();
  return BigInt.asIntN(Number(signed[1] || 256), bits).toString();
}

/** keccak256(key . slot), the key padded unless it is text (Solidity, "Layout of State Variables in Storage"). */
function mappingSlot(key: string, keyType: string, slot: bigint): bigint {
  const bytes = keyBytes(key, keyType);
  const joined = new Uint8Array(bytes.length + WORD_BYTES);
  joined.set(bytes);
  joined.set(wordBytes(slot), bytes.length);
  return BigInt(hexOf(keccak256(joined)));
}

function keyBytes(key: string, keyType: string): Uint8Array {
  if (keyType === "string") return new TextEncoder().encode(key);
  if (keyType === "bytes") return fromHex(key as Hex);
  if (keyType === "bool") return wordBytes(key === "true" ? 1n : 0n);
  if (/^bytes\d+$/.test(keyType)) return fromHex(key.padEnd(66, "0") as Hex);
  return wordBytes(BigInt.asUintN(256, BigInt(key)));
}

function typeOf(layout: StorageLayout, id: string): StorageLayoutType {
  const type = layout.types[id];
  if (type === undefined) throw new Error(`the layout does not describe ${id}`);
  return type;
}

function maskOf(bytes: number): bigint {
  return (1n << BigInt(8 * bytes)) - 1n;
}

function wordBytes(word: bigint): Uint8Array {
  return fromHex(`0x${word.toString(16).padStart(64, "0")}`);
}

function hexOf(bytes: Uint8Array): Hex {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
