/** The tree of unfinalized blocks as flat arrays, parents before children. See specs/consensus/fork-choice.md#the-block-tree. */
import type { Hash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";

/** Stands for "no block" wherever a block's index is stored. */
export const NO_BLOCK = -1;

const INITIAL_CAPACITY = 64;

/**
 * One row per block, in order of insertion, so that a parent's index is lower than its children's:
 * one pass from the end carries a sum from every leaf to the root.
 */
export type ProtoArray = {
  length: number;
  readonly roots: Hash[];
  readonly indices: Map<Hash, number>;
  slots: Float64Array;
  /** Index of the parent; NO_BLOCK for the first row. */
  parents: Int32Array;
  firstChildren: Int32Array;
  nextSiblings: Int32Array;
  /** Highest justified epoch in the block's post-state. */
  justifiedEpochs: Float64Array;
  /** Weight of the subtree, in effective-balance increments, by age of the vote. Filled per head computation. */
  freshWeights: Float64Array;
  staleWeights: Float64Array;
};

export type ProtoBlock = {
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly slot: number;
  readonly justifiedEpoch: number;
};

/** A tree of one block, whose parent is not kept. */
export function createProtoArray(first: Omit<ProtoBlock, "parentRoot">): ProtoArray {
  const array = withCapacity(INITIAL_CAPACITY);
  append(array, first, NO_BLOCK);
  return array;
}

/** Adds a leaf under a block of the tree; its root is new. */
export function addProtoBlock(array: ProtoArray, block: ProtoBlock): number {
  const parent = array.indices.get(block.parentRoot) ?? NO_BLOCK;
  assert(parent !== NO_BLOCK, "the parent is in the tree");
  assert(!array.indices.has(block.root), "the block is not yet in the tree");
  return append(array, block, parent);
}

/** Index of the ancestor (or the block itself) with the highest slot at most `slot`; NO_BLOCK below the tree. */
export function ancestorAtOrBefore(array: ProtoArray, index: number, slot: number): number {
  let at = index;
  while (at !== NO_BLOCK && slotAt(array, at) > slot) at = parentAt(array, at);
  return at;
}

/** Whether `descendant` is `ancestor` or a block on top of it. */
export function isDescendant(array: ProtoArray, descendant: number, ancestor: number): boolean {
  let at = descendant;
  while (at > ancestor) at = parentAt(array, at);
  return at === ancestor;
}

/** Last block two branches share. */
export function commonAncestor(array: ProtoArray, a: number, b: number): number {
  while (a !== b) {
    if (a > b) a = parentAt(array, a);
    else b = parentAt(array, b);
  }
  return a;
}

export function slotAt(array: ProtoArray, index: number): number {
  return array.slots[index] ?? 0;
}

export function parentAt(array: ProtoArray, index: number): number {
  return array.parents[index] ?? NO_BLOCK;
}

export function rootAt(array: ProtoArray, index: number): Hash {
  const root = array.roots[index];
  assert(root !== undefined, "the index is inside the tree");
  return root;
}

/** Children in order of insertion, newest first. */
export function childrenOf(array: ProtoArray, index: number): number[] {
  const children: number[] = [];
  for (let child = array.firstChildren[index] ?? NO_BLOCK; child !== NO_BLOCK; ) {
    children.push(child);
    child = array.nextSiblings[child] ?? NO_BLOCK;
  }
  return children;
}

export type Pruning = {
  /** Old index to new index; NO_BLOCK where the block is gone. */
  readonly moved: Int32Array;
  readonly prunedRoots: readonly Hash[];
};

/**
 * Makes `first` the root of the tree and drops everything that does not descend from it through a child
 * above `childrenAboveSlot`. Every index changes: `moved` says how.
 */
export function pruneProtoArray(array: ProtoArray, first: number, childrenAboveSlot: number): Pruning {
  const moved = new Int32Array(array.length).fill(NO_BLOCK);
  const prunedRoots: Hash[] = [];
  const kept = withCapacity(Math.max(INITIAL_CAPACITY, array.length));
  for (let index = 0; index < array.length; index++) {
    const root = rootAt(array, index);
    const parent = parentAt(array, index);
    const newParent = parent === NO_BLOCK ? NO_BLOCK : (moved[parent] ?? NO_BLOCK);
    const isKept =
      index === first ||
      (newParent !== NO_BLOCK && (parent !== first || slotAt(array, index) > childrenAboveSlot));
    if (!isKept) {
      prunedRoots.push(root);
      continue;
    }
    moved[index] = append(
      kept,
      { root, slot: slotAt(array, index), justifiedEpoch: array.justifiedEpochs[index] ?? 0 },
      index === first ? NO_BLOCK : newParent,
    );
  }
  array.roots.length = 0;
  array.indices.clear();
  for (const root of kept.roots) array.indices.set(root, array.roots.push(root) - 1);
  const { roots: _roots, indices: _indices, ...columns } = kept;
  Object.assign(array, columns);
  return { moved, prunedRoots };
}

function withCapacity(capacity: number): ProtoArray {
  return {
    length: 0,
    roots: [],
    indices: new Map(),
    slots: new Float64Array(capacity),
    parents: new Int32Array(capacity),
    firstChildren: new Int32Array(capacity),
    nextSiblings: new Int32Array(capacity),
    justifiedEpochs: new Float64Array(capacity),
    freshWeights: new Float64Array(capacity),
    staleWeights: new Float64Array(capacity),
  };
}

function append(array: ProtoArray, block: Omit<ProtoBlock, "parentRoot">, parent: number): number {
  if (array.length === array.slots.length) grow(array);
  const index = array.length++;
  array.roots.push(block.root);
  array.indices.set(block.root, index);
  array.slots[index] = block.slot;
  array.parents[index] = parent;
  array.firstChildren[index] = NO_BLOCK;
  array.nextSiblings[index] = NO_BLOCK;
  array.justifiedEpochs[index] = block.justifiedEpoch;
  if (parent !== NO_BLOCK) {
    array.nextSiblings[index] = array.firstChildren[parent] ?? NO_BLOCK;
    array.firstChildren[parent] = index;
  }
  return index;
}

function grow(array: ProtoArray): void {
  const larger = withCapacity(array.slots.length * 2);
  larger.slots.set(array.slots);
  larger.parents.set(array.parents);
  larger.firstChildren.set(array.firstChildren);
  larger.nextSiblings.set(array.nextSiblings);
  larger.justifiedEpochs.set(array.justifiedEpochs);
  const { length: _length, roots: _roots, indices: _indices, ...columns } = larger;
  Object.assign(array, columns);
}
