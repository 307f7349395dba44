/**
 * Nodes of the hexary Merkle-Patricia trie and their bytes (Yellow Paper, appendix D). See specs/vm/trie.md#nodes.
 *
 * Paths are strings with one lower-case hex digit per nibble: they slice, compare and hash fast.
 */
import { bytesToBigInt, equalBytes } from "../../primitives/bytes.ts";
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

/** RLP of a leaf or extension. `second` is an RLP item already. */
export function encodePair(path: string, isLeaf: boolean, second: Uint8Array): Uint8Array {
  return encodeItems([encodeString(hexPrefix(path, isLeaf)), second]);
}

/** RLP of a branch, from the references of its children, undefined where there is none. */
export function encodeBranch(
  references: readonly (TrieReference | undefined)[],
  value: Uint8Array | undefined,
): Uint8Array {
  const items = references.map((reference) => reference ?? EMPTY_ITEM);
  items.push(value === undefined ? EMPTY_ITEM : encodeString(value));
  return encodeItems(items);
}

/** RLP list of items that are RLP already. */
function encodeItems(items: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const item of items) length += item.length;
  const target = new Uint8Array(prefixSize(length) + length);
  let offset = writePrefix(target, 0xc0, length);
  for (const item of items) {
    target.set(item, offset);
    offset += item.length;
  }
  return target;
}

/** RLP of a byte string. */
export function encodeString(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] ?? 0) < 0x80) return bytes;
  const target = new Uint8Array(prefixSize(bytes.length) + bytes.length);
  target.set(bytes, writePrefix(target, 0x80, bytes.length));
  return target;
}

function prefixSize(length: number): number {
  if (length < 56) return 1;
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : 4;
}

function writePrefix(target: Uint8Array, base: number, length: number): number {
  const size = prefixSize(length);
  if (size === 1) target[0] = base + length;
  else {
    target[0] = base + 54 + size;
    for (let i = size - 1, rest = length; i > 0; i--, rest >>= 8) target[i] = rest & 0xff;
  }
  return size;
}

/** Nibbles packed to bytes; the first nibble says whether it is a leaf's path and whether it is odd. */
function hexPrefix(path: string, isLeaf: boolean): Uint8Array {
  const isOdd = path.length % 2;
  const bytes = new Uint8Array((path.length >> 1) + 1);
  bytes[0] = ((isLeaf ? LEAF_FLAG : 0) + isOdd) << 4;
  if (isOdd === 1) bytes[0] |= nibbleAt(path, 0);
  for (let i = isOdd, at = 1; i < path.length; i += 2, at++) {
    bytes[at] = (nibbleAt(path, i) << 4) | nibbleAt(path, i + 1);
  }
  return bytes;
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
  return equalBytes(item, EMPTY_ITEM);
}

function nibblesOf(prefix: Uint8Array): string {
  let path = "";
  for (const byte of prefix) path += (NIBBLES[byte >> 4] ?? "") + (NIBBLES[byte & 15] ?? "");
  return path.slice(((prefix[0] ?? 0) >> 4) % 2 === 1 ? 1 : 2);
}

/** The items of the list that fills `rlp`, each with its prefix. */
function splitList(rlp: Uint8Array): readonly Uint8Array[] {
  const list = extentAt(rlp, 0);
  if ((rlp[0] ?? 0) < 0xc0 || list.end !== rlp.length) throw malformed("not one list");
  const items: Uint8Array[] = [];
  for (let at = list.start; at < list.end; ) {
    const { end } = extentAt(rlp, at);
    items.push(rlp.subarray(at, end));
    at = end;
  }
  return items;
}

/** Payload of the byte string that fills `item`. */
function stringOf(item: Uint8Array): Uint8Array {
  const first = item[0] ?? 0xff;
  if (first >= 0xc0) throw malformed("list for a string");
  return first < 0x80 ? item : item.subarray(extentAt(item, 0).start);
}

function extentAt(rlp: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = rlp[at];
  if (first === undefined) throw malformed("too short");
  if (first < 0x80) return { start: at, end: at + 1 };
  const short = first - (first < 0xc0 ? 0x80 : 0xc0);
  const sizeBytes = Math.max(0, short - 55);
  const start = at + 1 + sizeBytes;
  const length = sizeBytes === 0 ? short : Number(bytesToBigInt(rlp.subarray(at + 1, start)));
  if (start + length > rlp.length) throw malformed("too short");
  return { start, end: start + length };
}

function malformed(reason: string): TrieNodeError {
  return new TrieNodeError({ code: "TRIE_NODE_MALFORMED", reason });
}
