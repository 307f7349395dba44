/** The head: which block an honest validator builds on and votes for. See specs/consensus/fork-choice.md#get_head. */
import type { Hash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { ForkChoiceStore } from "./fork-choice-store.ts";
import { childrenOf, NO_BLOCK, parentAt, rootAt, slotAt } from "./proto-array.ts";
import { computeCheckpointSlot, forkAtSlot } from "./time.ts";
import { stakeVotingSince, weighTree } from "./vote-weights.ts";

/**
 * Computes the head from the votes as they stand and remembers it in the store.
 *
 * Walks from the justified block to a leaf and at each fork takes the child `choose` prefers. No leaf is
 * filtered out for what its state justified: a proof that arrives late must not throw away an honest branch
 * that can still adopt it. Only when that branch did not adopt it in ADOPTION_SLOTS, or the votes are too old to
 * be carried over, does the walk keep to the branches that contain the proof (the valve).
 *
 * Cost: one pass over validators and blocks, plus the walk.
 */
export function getHead(store: ForkChoiceStore): Hash {
  const { tree, params, nowSlot, justified } = store;
  weighTree(tree, store.votes, store.balances, Math.max(0, nowSlot - params.lmdExpirySlots));
  const boost = proposerBoost(store);

  let head = walk(store, boost, undefined);
  if ((tree.justifiedEpochs[head] ?? 0) < justified.epoch && isValveOpen(store)) {
    head = walk(store, boost, blocksUnderProof(store));
  }
  store.headRoot = rootAt(tree, head);
  return store.headRoot;
}

/** The timely block's extra weight, given to every block from it down to the fork where it matters. */
type Boost = { readonly onPath: Uint8Array; readonly weight: number };

/**
 * A share of the stake that voted in the last two epochs, per slot of an epoch. A share of all stake would
 * outweigh every vote when more than two thirds of the validators are offline.
 */
function proposerBoost(store: ForkChoiceStore): Boost | undefined {
  const { tree, params, nowSlot } = store;
  const boosted = store.boostRoot === undefined ? undefined : tree.indices.get(store.boostRoot);
  if (boosted === undefined) return undefined;
  const { slotsPerEpoch } = forkAtSlot(nowSlot, params);
  const sinceSlot = Math.max(0, nowSlot - 2 * slotsPerEpoch);
  const fresh = params.rules.freshBoost
    ? stakeVotingSince(store.votes, store.balances, sinceSlot)
    : store.totalBalance;
  const onPath = new Uint8Array(tree.length);
  for (let at = boosted; at !== NO_BLOCK; at = parentAt(tree, at)) onPath[at] = 1;
  return { onPath, weight: Math.floor((params.proposerBoostPercent * fresh) / (slotsPerEpoch * 100)) };
}

function isValveOpen(store: ForkChoiceStore): boolean {
  const { params, nowSlot } = store;
  if (!params.rules.valve) return false;
  const oldestCarried = computeCheckpointSlot(store.justified.epoch, params) + params.slotsPerHistoricalRoot;
  return oldestCarried < nowSlot || nowSlot - store.justifiedAtSlot > params.adoptionSlots;
}

/** 1 for every block with a leaf above it (or itself one) whose state justified as much as the store. */
function blocksUnderProof(store: ForkChoiceStore): Uint8Array {
  const { tree, justified } = store;
  const viable = new Uint8Array(tree.length);
  for (let block = tree.length - 1; block >= 0; block--) {
    const isLeaf = (tree.firstChildren[block] ?? NO_BLOCK) === NO_BLOCK;
    if (isLeaf && (tree.justifiedEpochs[block] ?? 0) >= justified.epoch) viable[block] = 1;
    const parent = parentAt(tree, block);
    if (viable[block] === 1 && parent !== NO_BLOCK) viable[parent] = 1;
  }
  return viable;
}

function walk(store: ForkChoiceStore, boost: Boost | undefined, viable: Uint8Array | undefined): number {
  const { tree, params, justified } = store;
  const start = tree.indices.get(justified.root);
  assert(start !== undefined, "the justified block is in the tree");
  const isViable = (block: number): boolean => viable === undefined || viable[block] === 1;

  const aboveSlot = computeCheckpointSlot(justified.epoch, params);
  let head = start;
  // A child at or below the checkpoint's slot would make another block the checkpoint of that epoch.
  const isAbove = (child: number): boolean =>
    slotAt(tree, child) > aboveSlot || !params.rules.headAboveCheckpoint;
  let children = childrenOf(tree, head).filter((child) => isAbove(child) && isViable(child));
  while (children.length > 0) {
    head = choose(store, children, boost);
    children = childrenOf(tree, head).filter(isViable);
  }
  return head;
}

/**
 * The preferred one of siblings: by fresh stake, then stale stake, then the higher root. When the fresh votes
 * for all of them together are below a third of the stake, fresh and stale count alike: after a long outage a
 * minority's fresh votes must not decide alone. The boost belongs to the fresh stake but not to that third.
 */
function choose(store: ForkChoiceStore, siblings: readonly number[], boost: Boost | undefined): number {
  const { freshWeights, staleWeights } = store.tree;
  let allFresh = 0;
  for (const sibling of siblings) allFresh += freshWeights[sibling] ?? 0;
  const isFreshDecisive = 3 * allFresh >= store.totalBalance || !store.params.rules.freshVotesNeedAThird;

  let best: Candidate | undefined;
  for (const sibling of siblings) {
    const boosted = boost !== undefined && boost.onPath[sibling] === 1 ? boost.weight : 0;
    const fresh = (freshWeights[sibling] ?? 0) + boosted;
    const stale = staleWeights[sibling] ?? 0;
    const candidate = {
      block: sibling,
      first: isFreshDecisive ? fresh : fresh + stale,
      second: isFreshDecisive ? stale : 0,
      root: rootAt(store.tree, sibling),
    };
    if (best === undefined || isHeavier(candidate, best)) best = candidate;
  }
  assert(best !== undefined, "there is a sibling to choose");
  return best.block;
}

type Candidate = {
  readonly block: number;
  readonly first: number;
  readonly second: number;
  readonly root: Hash;
};

/** Roots are lower-case hex of one length, so their text order is the order of their bytes. */
function isHeavier(a: Candidate, b: Candidate): boolean {
  if (a.first !== b.first) return a.first > b.first;
  if (a.second !== b.second) return a.second > b.second;
  return a.root > b.root;
}
