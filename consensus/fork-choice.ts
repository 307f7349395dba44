/** The fork-choice handlers: time, blocks, votes and proofs of equivocation. See specs/consensus/fork-choice.md#handlers. */
import type { Hash } from "../primitives/bytes.ts";
import {
  checkpointKey,
  ForkChoiceError,
  type ForkChoiceStore,
  growLatestVotes,
  type HeadVote,
  isOnChain,
  sum,
  type TreeCheckpoint,
} from "./fork-choice-store.ts";
import { addProtoBlock, ancestorAtOrBefore, NO_BLOCK, pruneProtoArray, slotAt } from "./proto-array.ts";
import { computeCheckpointSlot, computePeriodAtSlot } from "./time.ts";

/**
 * Votes kept for the next slot. Gossip admits one vote per validator and epoch, so this is far above what
 * honest traffic fills; beyond it a vote is lost for the head (not for finality).
 */
export const QUEUED_VOTES_LIMIT = 65_536;

/**
 * Votes of blocks kept until their head comes: a fork whose votes others include before it arrives. An entry is one
 * aggregate; beyond the limit the oldest is lost for the head (not for finality).
 */
export const HEADLESS_VOTES_LIMIT = 256;

/** A fully valid block and what its post-state says; `justified…` with the genesis root filled in. */
export type ForkChoiceBlock = {
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly slot: number;
  readonly justified: TreeCheckpoint;
  readonly finalized: TreeCheckpoint;
  /** Justified checkpoints of the post-state that are not below the store's finality. */
  readonly justifiedRing: readonly TreeCheckpoint[];
  /** Whether it arrived whole, in its slot before votes fall due, as the first block of its proposer for the slot. */
  readonly isTimely: boolean;
  readonly votes: readonly HeadVote[];
  /** Validators the block proves to have equivocated. */
  readonly equivocators: readonly number[];
  /** Weights of the validators as of a justified checkpoint of this chain, in increments. */
  balancesAt(checkpoint: TreeCheckpoint): Uint16Array;
};

/** What the import of a block changed besides the tree. */
export type ForkChoiceChange = {
  readonly justified: TreeCheckpoint | undefined;
  readonly finalized: TreeCheckpoint | undefined;
  readonly prunedRoots: readonly Hash[];
};

/** Moves the clock to `slot`: the boost ends, queued votes count. The caller recomputes the head, always. */
export function onTick(store: ForkChoiceStore, slot: number): void {
  if (slot <= store.nowSlot) return;
  store.nowSlot = slot;
  store.boostRoot = undefined;
  const queued = store.queuedVotes;
  store.queuedVotes = [];
  for (const vote of queued) onVote(store, vote);
}

/**
 * Takes a block whose state transition and payload are valid. Changes nothing when it throws.
 *
 * @throws ForkChoiceError
 */
export function onBlock(store: ForkChoiceStore, block: ForkChoiceBlock): ForkChoiceChange {
  checkBlock(store, block);

  addProtoBlock(store.tree, {
    root: block.root,
    parentRoot: block.parentRoot,
    slot: block.slot,
    justifiedEpoch: block.justified.epoch,
  });
  if (block.isTimely && store.boostRoot === undefined && block.slot === store.nowSlot) {
    if (sharesProposers(store, block.root, store.headRoot)) store.boostRoot = block.root;
  }
  for (const checkpoint of block.justifiedRing) {
    const key = checkpointKey(checkpoint);
    if (!store.justifiedSeen.has(key)) store.justifiedSeen.set(key, { checkpoint, proofRoot: block.root });
  }

  const isJustifiedRaised = block.justified.epoch > store.justified.epoch;
  if (isJustifiedRaised) {
    store.justified = block.justified;
    store.justifiedProof = block.root;
    store.justifiedAtSlot = store.nowSlot;
    store.balances = block.balancesAt(block.justified);
    store.totalBalance = sum(store.balances);
  }
  onEquivocation(store, block.equivocators);
  for (const vote of takeVotesFor(store, block.root)) onVote(store, vote);
  for (const vote of block.votes) {
    if (store.tree.indices.has(vote.headRoot)) onVote(store, vote);
    else keepUntilHead(store, vote);
  }

  const isFinalizedRaised = block.finalized.epoch > store.finalized.epoch;
  const prunedRoots = isFinalizedRaised ? finalize(store, block.finalized) : [];
  return {
    justified: isJustifiedRaised ? block.justified : undefined,
    finalized: isFinalizedRaised ? block.finalized : undefined,
    prunedRoots,
  };
}

/** Gossip knows this vote as seen from now on, so it must count when its head comes, whatever comes first. */
function keepUntilHead({ headlessVotes }: ForkChoiceStore, vote: HeadVote): void {
  if (headlessVotes.length >= HEADLESS_VOTES_LIMIT) headlessVotes.shift();
  headlessVotes.push(vote);
}

function takeVotesFor(store: ForkChoiceStore, root: Hash): readonly HeadVote[] {
  const found = store.headlessVotes.filter(({ headRoot }) => headRoot === root);
  if (found.length > 0) store.headlessVotes = store.headlessVotes.filter(({ headRoot }) => headRoot !== root);
  return found;
}

function checkBlock(store: ForkChoiceStore, block: ForkChoiceBlock): void {
  const { slot, parentRoot } = block;
  const parent = store.tree.indices.get(parentRoot);
  if (parent === undefined) throw new ForkChoiceError({ code: "FORK_CHOICE_UNKNOWN_PARENT", parentRoot });
  if (slot > store.nowSlot) {
    throw new ForkChoiceError({ code: "FORK_CHOICE_FUTURE_BLOCK", slot, nowSlot: store.nowSlot });
  }
  const parentSlot = slotAt(store.tree, parent);
  if (slot <= parentSlot)
    throw new ForkChoiceError({ code: "FORK_CHOICE_NOT_AFTER_PARENT", slot, parentSlot });

  // Before the ancestry check: else the alarm would depend on the order in which blocks arrive.
  checkFinality(store, block);
  const finalizedSlot = computeCheckpointSlot(store.finalized.epoch, store.params);
  if (slot <= finalizedSlot) {
    throw new ForkChoiceError({ code: "FORK_CHOICE_BEHIND_FINALITY", slot, finalizedSlot });
  }
}

/**
 * Two checkpoints conflict when neither lies on the other's chain. A finalized checkpoint of the block that
 * conflicts with ours, or one of ours that would leave our justified checkpoint behind on another branch, takes
 * slashable messages of a third of the stake.
 */
function checkFinality(store: ForkChoiceStore, block: ForkChoiceBlock): void {
  const { finalized } = block;
  const [lower, higher] =
    finalized.epoch <= store.finalized.epoch ? [finalized, store.finalized] : [store.finalized, finalized];
  const isRaised = finalized.epoch > store.finalized.epoch;
  const ours = isRaised && store.justified.epoch >= block.justified.epoch ? store.justified : undefined;
  const isFinalityKept =
    higher.epoch === lower.epoch ? higher.root === lower.root : isKnownConsistent(store, higher, lower);
  const isJustifiedKept = ours === undefined || isOnChain(store, ours.root, finalized);
  if (isFinalityKept && isJustifiedKept) return;
  const conflicting = isFinalityKept ? (ours ?? finalized) : store.finalized;
  throw new ForkChoiceError({
    code: "FORK_CHOICE_SAFETY_FAULT",
    finalizedEpoch: conflicting.epoch,
    finalizedRoot: conflicting.root,
    conflictingEpoch: finalized.epoch,
    conflictingRoot: finalized.root,
  });
}

/** What lies below our own finality was pruned; every chain of the tree agrees on it. */
function isKnownConsistent(store: ForkChoiceStore, higher: TreeCheckpoint, lower: TreeCheckpoint): boolean {
  return lower.epoch < store.finalized.epoch || isOnChain(store, higher.root, lower);
}

/**
 * Whether both chains computed the same proposers for the block's period: they agree up to the end of the
 * period before last, from which the look-ahead was drawn.
 */
function sharesProposers(store: ForkChoiceStore, root: Hash, headRoot: Hash): boolean {
  const { tree, params } = store;
  const block = tree.indices.get(root) ?? NO_BLOCK;
  const head = tree.indices.get(headRoot) ?? NO_BLOCK;
  const period = computePeriodAtSlot(slotAt(tree, block), params);
  const dependentSlot = Math.max(0, (period - 1) * params.periodSlots - 1);
  return ancestorAtOrBefore(tree, block, dependentSlot) === ancestorAtOrBefore(tree, head, dependentSlot);
}

/**
 * Counts a vote for a head, now or from the slot after its own. The newest vote of a validator counts; of two
 * for one slot the first. A vote for a block that is not in the tree is not counted.
 */
export function onVote(store: ForkChoiceStore, vote: HeadVote): void {
  if (store.nowSlot < vote.slot + 1 && store.params.rules.votesWaitASlot) {
    if (store.queuedVotes.length < QUEUED_VOTES_LIMIT) store.queuedVotes.push(vote);
    return;
  }
  const block = store.tree.indices.get(vote.headRoot);
  if (block === undefined) return;
  for (const validator of vote.validatorIndices) {
    growLatestVotes(store.votes, validator + 1);
    if (vote.slot <= (store.votes.slots[validator] ?? -1)) continue;
    store.votes.slots[validator] = vote.slot;
    store.votes.blocks[validator] = block;
  }
}

/** Validators proven to have signed two conflicting votes: they weigh nothing from now on, for ever. */
export function onEquivocation(store: ForkChoiceStore, validatorIndices: readonly number[]): void {
  if (!store.params.rules.equivocationDiscounting) return;
  for (const validator of validatorIndices) {
    growLatestVotes(store.votes, validator + 1);
    store.votes.equivocating[validator] = 1;
  }
}

/** Raises finality and prunes the tree to what descends from it. */
function finalize(store: ForkChoiceStore, finalized: TreeCheckpoint): readonly Hash[] {
  const { tree, votes, params } = store;
  const first = tree.indices.get(finalized.root) ?? 0;
  const { moved, prunedRoots } = pruneProtoArray(tree, first, computeCheckpointSlot(finalized.epoch, params));
  for (let voter = 0; voter < votes.blocks.length; voter++) {
    const block = votes.blocks[voter] ?? NO_BLOCK;
    votes.blocks[voter] = block === NO_BLOCK ? NO_BLOCK : (moved[block] ?? NO_BLOCK);
  }
  for (const [key, { checkpoint }] of store.justifiedSeen) {
    if (checkpoint.epoch < finalized.epoch || !tree.indices.has(checkpoint.root))
      store.justifiedSeen.delete(key);
  }
  const finalizedSlot = computeCheckpointSlot(finalized.epoch, params);
  store.headlessVotes = store.headlessVotes.filter(({ slot }) => slot > finalizedSlot);
  store.finalized = finalized;
  return prunedRoots;
}
