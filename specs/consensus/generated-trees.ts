/** Block trees with votes, boosts, equivocators and proofs, and the two heads of each. See specs/consensus/fork-choice.md#differential-tests. */
import { equal } from "node:assert/strict";
import fc from "fast-check";
import { onBlock, onEquivocation, onTick, onVote } from "../../consensus/fork-choice.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { createForkChoice } from "../../consensus/fork-choice-store.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { block, paramsWith } from "./block-trees.ts";
import { type NaiveBlock, naiveHead } from "./naive-ghost.ts";

export type Tree = {
  /** Parent index of block i + 1; below i + 1. Block 0 is the anchor. */
  readonly parents: readonly number[];
  readonly gaps: readonly number[];
  readonly isJustifying: readonly boolean[];
  readonly votes: readonly { readonly block: number; readonly age: number }[];
  readonly balances: readonly number[];
  readonly equivocators: readonly number[];
  readonly boost: number;
  readonly slotsPerEpoch: number;
  readonly nowAfter: number;
  readonly adoptionSlots: number;
};

/** Roots in an order unlike that of insertion, so that ties are settled by them and not by chance. */
function rootOf(index: number): Hash {
  return `0x${((index * 2_654_435_761) >>> 0).toString(16).padStart(8, "0").padEnd(64, "0")}`;
}

/**
 * Builds the tree in both forms and compares the heads, before and after a slot without messages.
 *
 * @param changes what the flat arrays alone play by. @throws AssertionError
 */
export function compareHeads(tree: Tree, changes: Partial<ChainParams> = {}): void {
  const rules = { lmdExpirySlots: 6, adoptionSlots: tree.adoptionSlots };
  const params = paramsWith(rules, tree.slotsPerEpoch);
  const blocks: NaiveBlock[] = [{ root: rootOf(0), parent: undefined, slot: 0, justifiedEpoch: 0 }];
  for (const [i, parentIndex] of tree.parents.entries()) {
    const parent = blocks[parentIndex]!;
    const slot = parent.slot + tree.gaps[i]!;
    // A block may justify the newest epoch before its own.
    const newest = Math.max(0, Math.floor(slot / tree.slotsPerEpoch) - 1);
    const justifiedEpoch = tree.isJustifying[i] === true ? newest : parent.justifiedEpoch;
    blocks.push({
      root: rootOf(i + 1),
      parent: parent.root,
      slot,
      justifiedEpoch: Math.max(justifiedEpoch, parent.justifiedEpoch),
    });
  }
  const lastSlot = Math.max(...blocks.map(({ slot }) => slot));
  const nowSlot = lastSlot + tree.nowAfter;

  const balances = Uint16Array.from(tree.balances);
  const store = createForkChoice(
    { ...params, ...changes },
    { root: rootOf(0), slot: 0, epoch: 0, balances },
    0,
  );
  let justifiedAtSlot = 0;
  for (const { root, parent, slot, justifiedEpoch } of blocks.slice(1)) {
    onTick(store, Math.max(slot, store.nowSlot));
    const justified = {
      epoch: justifiedEpoch,
      root: checkpoint(blocks, root, justifiedEpoch, tree.slotsPerEpoch),
    };
    if (justifiedEpoch > store.justified.epoch) justifiedAtSlot = store.nowSlot;
    onBlock(store, {
      ...block("x0", "x0"),
      ...{ root: root as Hash, parentRoot: parent as Hash, slot, justified, balancesAt: () => balances },
      finalized: { epoch: 0, root: rootOf(0) },
    });
  }
  onTick(store, nowSlot);
  const votes = tree.votes.map(({ block: voted, age }) => {
    const head = blocks[voted % blocks.length]!;
    return { slot: Math.max(head.slot, nowSlot - 1 - age), head: head.root };
  });
  const counted = votes.map((vote) => (vote.slot < nowSlot ? vote : { slot: -1, head: vote.head }));
  for (const [voter, { slot, head }] of votes.entries()) {
    onVote(store, { slot, headRoot: head as Hash, validatorIndices: [voter] });
  }
  onEquivocation(store, tree.equivocators);
  store.boostRoot = tree.boost < blocks.length ? (blocks[tree.boost]!.root as Hash) : undefined;

  const view = {
    ...{ params, nowSlot, blocks, votes: counted, justifiedAtSlot },
    justified: store.justified,
    balances: tree.balances.slice(0, tree.votes.length),
    equivocators: tree.equivocators,
    boost: store.boostRoot,
  };
  // Without a vote a validator's stake still counts in the total.
  const silent = tree.balances.slice(tree.votes.length);
  const whole = {
    ...view,
    balances: tree.balances,
    votes: [...counted, ...silent.map(() => ({ slot: -1, head: rootOf(0) }))],
  };
  equal(getHead(store), naiveHead(whole));
  onTick(store, nowSlot + 1);
  const next = {
    ...whole,
    nowSlot: nowSlot + 1,
    boost: undefined,
    votes: [...votes, ...silent.map(() => ({ slot: -1, head: rootOf(0) }))],
  };
  equal(getHead(store), naiveHead(next));
}

function checkpoint(blocks: readonly NaiveBlock[], tip: string, epoch: number, slotsPerEpoch: number): Hash {
  const slot = Math.max(0, epoch * slotsPerEpoch - DEVNET_PARAMS.targetLagSlots);
  let at = blocks.find(({ root }) => root === tip)!;
  while (at.slot > slot) at = blocks.find(({ root }) => root === at.parent)!;
  return at.root as Hash;
}

export const arbitraryTree: fc.Arbitrary<Tree> = fc.integer({ min: 1, max: 24 }).chain((size) =>
  fc.record({
    parents: fc.tuple(...Array.from({ length: size }, (_, i) => fc.nat({ max: i }))),
    gaps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: size, maxLength: size }),
    isJustifying: fc.array(
      fc.nat({ max: 4 }).map((n) => n === 0),
      { minLength: size, maxLength: size },
    ),
    votes: fc.array(fc.record({ block: fc.nat({ max: size }), age: fc.nat({ max: 12 }) }), { maxLength: 10 }),
    balances: fc.array(fc.integer({ min: 0, max: 2048 }), { minLength: 10, maxLength: 14 }),
    equivocators: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }),
    boost: fc.nat({ max: 2 * size }),
    slotsPerEpoch: fc.constantFrom(1, 2, 4),
    nowAfter: fc.nat({ max: 4 }),
    adoptionSlots: fc.constantFrom(0, 2, 16),
  }),
);
