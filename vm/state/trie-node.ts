/**
 * Nodes of the hexary Merkle-Patricia trie and their bytes (Yellow Paper, appendix D). See specs/vm/trie.md#nodes.
 *
 * Paths are strings with one lower-case hex digit per nibble: they slice, compare and hash fast.
 */
import { CodedError } from "../../primitives/errors.ts";

/**
 * How a parent names a child: the RLP item that stands in the parent. Either 33 bytes (0xa0 and the hash
 * of a node stored on its own) or the whole child, when its encoding is shorter than 32 bytes.
 */
export type TrieReference = Uint8Array;
/** A child not yet looked at, or one taken apart. */
export type TrieChild = TrieReference | TrieNode;

export type TrieLeaf = { readonly kind: "leaf"; readonly path: string; readonly value: Uint8Array };
export type TrieExtension = { readonly kind: "extension"; readonly path: string; readonly child: TrieChild };
export type TrieBranch = {
  readonly kind: "branch";
  /** Sixteen, one per nibble. */
  readonly children: readonly (TrieChild | undefined)[];
  /** The value whose key ends here. In tries with keys of one length there is none. */
  readonly value: Uint8Array | undefined;
};
export type TrieNode = TrieLeaf | TrieExtension | TrieBranch;

/** Bytes that are no trie node. From our own disk: corruption. In a proof: the prover's lie. */
export class TrieNodeError extends CodedError<{
  readonly code: "TRIE_NODE_MALFORMED";
  readonly reason: string;
}> {}

export const NIBBLES = [..."0123456789abcdef"] as const;
export const STORED_REFERENCE_BYTES = 33;

const EMPTY_ITEM = Uint8Array.of(0x80);
const LEAF_FLAG = 2;

/** Whether the reference names a node stored on its own, rather than containing it. */
export function isStoredReference(child: TrieChild | undefined): child is TrieReference {
  return child instanceof Uint8Array && child.length === STORED_REFERENCE_BYTES;
}

/** 0xa0 and the 32-byte hash. */
export function storedReference(hash: Uint8Array): TrieReference {
  const reference = new Uint8Array(STORED_REFERENCE_BYTES);
  reference[0] = 0xa0;
  reference.set(hash, 1);
  return reference;
}

/** RLP of a leaf. */
export function encodeLeaf(path: string, value: Uint8Array): Uint8Array {
  const length = pathSize(path) + stringSize(value);
  const target = new Uint8Array(prefixSize(length) + length);
  const offset = writePath(target, writePrefix(target, 0, 0xc0, length), path, LEAF_FLAG);
  writeString(target, offset, value);
  return target;
}

/** RLP of an extension. */
export function encodeExtension(path: string, reference: TrieReference): Uint8Array {
  const length = pathSize(path) + reference.length;
  const target = new Uint8Array(prefixSize(length) + length);
  target.set(reference, writePath(target, writePrefix(target, 0, 0xc0, length), path, 0));
  return target;
}

/** RLP of a branch, from the references of its children, undefined where there is none. */
export function encodeBranch(
  references: readonly (TrieReference | undefined)[],
  value: Uint8Array | undefined,
): Uint8Array {
  let length = value === undefined ? 1 : stringSize(value);
  for (const reference of references) length += reference?.length ?? 1;
  const target = new Uint8Array(prefixSize(length) + length);
  let offset = writePrefix(target, 0, 0xc0, length);
  for (const reference of references) {
    target.set(reference ?? EMPTY_ITEM, offset);
    offset += reference?.length ?? 1;
  }
  if (value === undefined) target[offset] = 0x80;
  else writeString(target, offset, value);
  return target;
}

function stringSize(bytes: Uint8Array): number {
  if (bytes.length === 1 && (bytes[0] ?? 0) < 0x80) return 1;
  return prefixSize(bytes.length) + bytes.length;
}

function writeString(target: Uint8Array, offset: number, bytes: Uint8Array): void {
  if (stringSize(bytes) > 1) offset = writePrefix(target, offset, 0x80, bytes.length);
  target.set(bytes, offset);
}

function prefixSize(length: number): number {
  if (length < 56) return 1;
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : 4;
}

/** Returns where the payload begins. */
function writePrefix(target: Uint8Array, offset: number, base: number, length: number): number {
  const size = prefixSize(length);
  if (size === 1) target[offset] = base + length;
  else {
    target[offset] = base + 54 + size;
    for (let i = size - 1, rest = length; i > 0; i--, rest >>= 8) target[offset + i] = rest & 0xff;
  }
  return offset + size;
}

/** Size of a path as an RLP string of packed nibbles; alone, a byte of one is below 0x80. */
function pathSize(path: string): number {
  const packed = (path.length >> 1) + 1;
  return packed === 1 ? 1 : prefixSize(packed) + packed;
}

/** Nibbles packed to bytes; the first nibble says whether it is a leaf's path and whether it is odd. */
function writePath(target: Uint8Array, offset: number, path: string, flag: number): number {
  const packed = (path.length >> 1) + 1;
  let at = packed === 1 ? offset : writePrefix(target, offset, 0x80, packed);
  const isOdd = path.length % 2;
  target[at++] = ((flag + isOdd) << 4) | (isOdd === 1 ? nibbleAt(path, 0) : 0);
  for (let i = isOdd; i < path.length; i += 2) {
    target[at++] = (nibbleAt(path, i) << 4) | nibbleAt(path, i + 1);
  }
  return at;
}

export function nibbleAt(path: string, index: number): number {
  const code = path.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}

/** Takes a node apart; references and values are views into `rlp`. @throws TrieNodeError */
export function decodeNode(rlp: Uint8Array): TrieNode {
  const items = splitList(rlp);
  if (items.length === 17) return decodeBranch(items);
  const [first, second] = items;
  if (items.length !== 2 || first === undefined || second === undefined) throw malformed("item count");
  const prefix = stringOf(first);
  const flag = (prefix[0] ?? 0xff) >> 4;
  if (flag > LEAF_FLAG + 1) throw malformed("path flag");
  const path = nibblesOf(prefix);
  if (flag >= LEAF_FLAG) return { kind: "leaf", path, value: stringOf(second) };
  if (isEmptyItem(second) || path.length === 0) throw malformed("extension to nothing");
  return { kind: "extension", path, child: second };
}

function decodeBranch(items: readonly Uint8Array[]): TrieNode {
  const value = stringOf(items[16] ?? EMPTY_ITEM);
  return {
    kind: "branch",
    children: items.slice(0, 16).map((item) => (isEmptyItem(item) ? undefined : item)),
    value: value.length === 0 ? undefined : value,
  };
}

function isEmptyItem(item: Uint8Array): boolean {
  return item.length === 1 && item[0] === 0x80;
}

function nibblesOf(prefix: Uint8Array): string {
  let path = "";
  for (const byte of prefix) path += (NIBBLES[byte >> 4] ?? "") + (NIBBLES[byte & 15] ?? "");
  return path.slice(((prefix[0] ?? 0) >> 4) % 2 === 1 ? 1 : 2);
}

/** The items of the list that fills `rlp`, each with its prefix. */
function splitList(rlp: Uint8Array): readonly Uint8Array[] {
  if ((rlp[0] ?? 0) < 0xc0 || itemEnd(rlp, 0) !== rlp.length) throw malformed("not one list");
  const items: Uint8Array[] = [];
  for (let at = payloadStart(rlp, 0); at < rlp.length; ) {
    const end = itemEnd(rlp, at);
    items.push(rlp.subarray(at, end));
    at = end;
  }
  return items;
}

/** Payload of the byte string that fills `item`. */
function stringOf(item: Uint8Array): Uint8Array {
  const first = item[0] ?? 0xff;
  if (first >= 0xc0) throw malformed("list for a string");
  return item.subarray(payloadStart(item, 0));
}

/** Where the payload of the item at `at` begins: a small byte is its own. */
function payloadStart(rlp: Uint8Array, at: number): number {
  const first = rlp[at] ?? 0;
  if (first < 0x80) return at;
  return at + 1 + Math.max(0, first - (first < 0xc0 ? 0xb7 : 0xf7));
}

/** Where the item at `at` ends, inside `rlp`. */
function itemEnd(rlp: Uint8Array, at: number): number {
  const first = rlp[at];
  if (first === undefined) throw malformed("too short");
  if (first < 0x80) return at + 1;
  const start = payloadStart(rlp, at);
  let length = first - (first < 0xc0 ? 0x80 : 0xc0);
  if (length > 55) {
    length = 0;
    for (let i = at + 1; i < start; i++) length = length * 256 + (rlp[i] ?? 0);
  }
  if (start + length > rlp.length) throw malformed("too short");
  return start + length;
}

function malformed(reason: string): TrieNodeError {
  return new TrieNodeError({ code: "TRIE_NODE_MALFORMED", reason });
}
