/** Merkle-Patricia trie: many changes and the new root in one pass over sorted keys. See specs/vm/trie.md. */
import { type Address, equalBytes, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { keccak256 } from "../../primitives/hash.ts";
import {
  decodeNode,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  isStoredReference,
  NIBBLES,
  nibbleAt,
  storedReference,
  type TrieBranch,
  type TrieChild,
  type TrieExtension,
  type TrieLeaf,
  type TrieNode,
  type TrieReference,
} from "./trie-node.ts";

/** keccak256(rlp("")). */
export const EMPTY_TRIE_ROOT: Hash = toHex(keccak256(Uint8Array.of(0x80)));

/** `key` is one hex digit per nibble; an undefined value deletes. */
export type TrieEntry = { readonly key: string; readonly value: Uint8Array | undefined };

/** Node at a path from the root; see TrieNodeReader. */
export type NodeAtPath = (path: string) => Uint8Array | undefined;

export type TrieUpdate = {
  readonly root: Hash;
  /** RLP of each new or changed node stored on its own, and null for each that is gone, by path. */
  readonly nodes: ReadonlyMap<string, Uint8Array | null>;
};

/** A trie without entries. */
export const noNodes: NodeAtPath = () => undefined;

/** Path of an address or a slot in a secure trie: the nibbles of its Keccak-256. */
export function secureKey(preimage: Address | Hash): string {
  return toHex(keccak256(fromHex(preimage))).slice(2);
}

type Pass = {
  readonly entries: readonly TrieEntry[];
  readonly nodeAt: NodeAtPath;
  /** Paths where a stored node stood that did not stay as it was. */
  readonly replaced: Set<string>;
};

/**
 * Applies the entries, whose keys are distinct, to the trie that `nodeAt` reads.
 *
 * Each node on the way to a changed key is read, hashed and written once. A node whose RLP is shorter than
 * 32 bytes lives in its parent only and never appears in `nodes`, except the root.
 */
export function updateTrie(nodeAt: NodeAtPath, entries: readonly TrieEntry[]): TrieUpdate {
  const pass: Pass = { entries: sortByKey(entries), nodeAt, replaced: new Set() };
  const nodes = new Map<string, Uint8Array | null>();
  const oldRoot = nodeAt("");
  const oldNode = oldRoot === undefined ? undefined : decodeNode(oldRoot);
  const newNode = updateNode(pass, oldNode, 0, 0, entries.length);
  if (newNode === oldNode) return { root: rootOf(oldRoot), nodes };

  if (oldRoot !== undefined) pass.replaced.add("");
  const newRoot = newNode === undefined ? undefined : encodeSubtree(newNode, "", nodes);
  if (newRoot !== undefined) nodes.set("", newRoot);
  for (const path of pass.replaced) if (!nodes.has(path)) nodes.set(path, null);
  return { root: rootOf(newRoot), nodes };
}

/** Root of the trie that holds exactly these entries. */
export function computeTrieRoot(entries: readonly TrieEntry[]): Hash {
  const node = build(sortByKey(entries), 0);
  return rootOf(node === undefined ? undefined : encodeSubtree(node, "", undefined));
}

function rootOf(rlp: Uint8Array | undefined): Hash {
  return rlp === undefined ? EMPTY_TRIE_ROOT : toHex(keccak256(rlp));
}

/** Keys are distinct, so no two compare equal. */
function sortByKey(entries: readonly TrieEntry[]): readonly TrieEntry[] {
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * The child after entries `from` up to `to`, whose keys all run through it; the same value when nothing
 * changed. `depth` is the length of the child's path.
 */
function updateChild(
  pass: Pass,
  child: TrieChild | undefined,
  depth: number,
  from: number,
  to: number,
): TrieChild | undefined {
  if (child === undefined) return updateNode(pass, undefined, depth, from, to);
  const path = keyAt(pass, from).slice(0, depth);
  const node = takeApart(pass, child, path);
  const updated = updateNode(pass, node, depth, from, to);
  if (updated === node) return child;
  if (isStoredReference(child)) pass.replaced.add(path);
  return updated;
}

function updateNode(
  pass: Pass,
  node: TrieNode | undefined,
  depth: number,
  from: number,
  to: number,
): TrieNode | undefined {
  if (from === to) return node;
  if (node === undefined) return build(presentEntries(pass, from, to), depth);
  if (node.kind === "leaf") return updateLeaf(pass, node, depth, from, to);
  if (node.kind === "extension") return updateExtension(pass, node, depth, from, to);
  const updated = updateBranch(pass, node, depth, from, to);
  return updated === node ? node : collapse(pass, updated, keyAt(pass, from).slice(0, depth));
}

function presentEntries(pass: Pass, from: number, to: number): TrieEntry[] {
  return pass.entries.slice(from, to).filter(({ value }) => value !== undefined);
}

function updateLeaf(
  pass: Pass,
  leaf: TrieLeaf,
  depth: number,
  from: number,
  to: number,
): TrieNode | undefined {
  const key = keyAt(pass, from).slice(0, depth) + leaf.path;
  const changed = pass.entries.slice(from, to).find((entry) => entry.key === key);
  const entries = presentEntries(pass, from, to);
  if (changed === undefined) {
    if (entries.length === 0) return leaf;
    const position = entries.findIndex((entry) => entry.key > key);
    entries.splice(position === -1 ? entries.length : position, 0, { key, value: leaf.value });
  } else if (entries.length === 1 && changed.value !== undefined && equalBytes(changed.value, leaf.value)) {
    return leaf;
  }
  return build(entries, depth);
}

function updateExtension(
  pass: Pass,
  node: TrieExtension,
  depth: number,
  from: number,
  to: number,
): TrieNode | undefined {
  const { path, child } = node;
  // Keys are sorted, so what the first and the last share with the path, all share.
  const shared = Math.min(
    sharedLength(keyAt(pass, from), depth, path, 0),
    sharedLength(keyAt(pass, to - 1), depth, path, 0),
  );
  const start = keyAt(pass, from).slice(0, depth);
  if (shared === path.length) {
    const updated = updateChild(pass, child, depth + shared, from, to);
    return updated === child ? node : prepend(pass, path, updated, start);
  }
  const rest = path.slice(shared + 1);
  const children = new Array<TrieChild | undefined>(16).fill(undefined);
  children[nibbleAt(path, shared)] = rest === "" ? child : { kind: "extension", path: rest, child };
  const at = start + path.slice(0, shared);
  const split: TrieBranch = { kind: "branch", children, value: undefined };
  const updated = collapse(pass, updateBranch(pass, split, depth + shared, from, to), at);
  return shared === 0 ? updated : prepend(pass, path.slice(0, shared), updated, start);
}

/** The branch after the entries, perhaps with fewer than two children; the same value when nothing changed. */
function updateBranch(pass: Pass, node: TrieBranch, depth: number, from: number, to: number): TrieBranch {
  let children: (TrieChild | undefined)[] | undefined;
  let value = node.value;
  let start = from;
  if (keyAt(pass, start).length === depth) value = pass.entries[start++]?.value;
  while (start < to) {
    const nibble = nibbleAt(keyAt(pass, start), depth);
    let end = start + 1;
    while (end < to && nibbleAt(keyAt(pass, end), depth) === nibble) end++;
    const child = node.children[nibble];
    const updated = updateChild(pass, child, depth + 1, start, end);
    if (updated !== child) {
      children ??= [...node.children];
      children[nibble] = updated;
    }
    start = end;
  }
  if (children === undefined && value === node.value) return node;
  return { kind: "branch", children: children ?? node.children, value };
}

/** A branch needs two members; one with fewer is replaced by what it held. `path` is where it stands. */
function collapse(pass: Pass, node: TrieBranch, path: string): TrieNode | undefined {
  const occupied = node.children.findIndex((child) => child !== undefined);
  if (occupied === -1) {
    return node.value === undefined ? undefined : { kind: "leaf", path: "", value: node.value };
  }
  const isAlone = node.value === undefined && !node.children.some((child, i) => child && i !== occupied);
  return isAlone ? prepend(pass, NIBBLES[occupied] ?? "", node.children[occupied], path) : node;
}

/** What stands at `start` when `child` is to be reached through `nibbles`, at least one, from there. */
function prepend(
  pass: Pass,
  nibbles: string,
  child: TrieChild | undefined,
  start: string,
): TrieNode | undefined {
  if (child === undefined) return undefined;
  const path = start + nibbles;
  const node = takeApart(pass, child, path);
  if (node.kind === "branch") return { kind: "extension", path: nibbles, child };
  if (isStoredReference(child)) pass.replaced.add(path);
  return { ...node, path: nibbles + node.path };
}

function takeApart(pass: Pass, child: TrieChild, path: string): TrieNode {
  if (!(child instanceof Uint8Array)) return child;
  if (!isStoredReference(child)) return decodeNode(child);
  const rlp = pass.nodeAt(path);
  assert(rlp !== undefined, `the trie node at "${path}" is stored`);
  return decodeNode(rlp);
}

/** The subtree of sorted entries that all have values and share their first `depth` nibbles. */
function build(entries: readonly TrieEntry[], depth: number): TrieNode | undefined {
  return entries.length === 0 ? undefined : buildRange(entries, depth, 0, entries.length);
}

function buildRange(entries: readonly TrieEntry[], depth: number, from: number, to: number): TrieNode {
  const first = entries[from];
  assert(first?.value !== undefined, "a subtree is built of values");
  if (to - from === 1) return { kind: "leaf", path: first.key.slice(depth), value: first.value };

  const last = entries[to - 1]?.key ?? "";
  const at = depth + sharedLength(first.key, depth, last, depth);
  const children = new Array<TrieChild | undefined>(16).fill(undefined);
  const endsHere = first.key.length === at;
  let start = endsHere ? from + 1 : from;
  while (start < to) {
    const nibble = nibbleAt(entries[start]?.key ?? "", at);
    let end = start + 1;
    while (end < to && nibbleAt(entries[end]?.key ?? "", at) === nibble) end++;
    children[nibble] = buildRange(entries, at + 1, start, end);
    start = end;
  }
  const branch: TrieBranch = { kind: "branch", children, value: endsHere ? first.value : undefined };
  return at === depth ? branch : { kind: "extension", path: first.key.slice(depth, at), child: branch };
}

/** RLP of the node at `path`; every node below that is stored on its own is put into `nodes`. */
function encodeSubtree(
  node: TrieNode,
  path: string,
  nodes: Map<string, Uint8Array | null> | undefined,
): Uint8Array {
  switch (node.kind) {
    case "leaf":
      return encodeLeaf(node.path, node.value);
    case "extension":
      return encodeExtension(node.path, referenceTo(node.child, path + node.path, nodes));
    case "branch":
      return encodeBranch(
        node.children.map((child, i) => child && referenceTo(child, path + NIBBLES[i], nodes)),
        node.value,
      );
  }
}

function referenceTo(
  child: TrieChild,
  path: string,
  nodes: Map<string, Uint8Array | null> | undefined,
): TrieReference {
  if (child instanceof Uint8Array) return child;
  const rlp = encodeSubtree(child, path, nodes);
  if (rlp.length < 32) return rlp;
  nodes?.set(path, rlp);
  return storedReference(keccak256(rlp));
}

function sharedLength(a: string, aStart: number, b: string, bStart: number): number {
  const limit = Math.min(a.length - aStart, b.length - bStart);
  let length = 0;
  while (length < limit && a.charCodeAt(aStart + length) === b.charCodeAt(bStart + length)) length++;
  return length;
}

function keyAt(pass: Pass, index: number): string {
  return pass.entries[index]?.key ?? "";
}
