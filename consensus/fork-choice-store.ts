/** What a node remembers to choose its head: blocks, latest votes, checkpoints. See specs/consensus/fork-choice.md#the-store. */
import type { Hash } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import type { ChainParams } from "./params.ts";
import {
  ancestorAtOrBefore,
  createProtoArray,
  NO_BLOCK,
  type ProtoArray,
  rootAt,
  slotAt,
} from "./proto-array.ts";
import { computeCheckpointSlot } from "./time.ts";
import type { LatestVotes } from "./vote-weights.ts";

/** A checkpoint as the store names it: the genesis checkpoint's zero root is replaced by the genesis block's. */
export type TreeCheckpoint = { readonly epoch: number; readonly root: Hash };

/** A vote for a head, by all of `validatorIndices`. */
export type HeadVote = {
  readonly slot: number;
  readonly headRoot: Hash;
  readonly validatorIndices: readonly number[];
};

/** A justified checkpoint and the first valid block seen whose state contains it: the proof to keep on disk. */
export type JustifiedCheckpoint = { readonly checkpoint: TreeCheckpoint; readonly proofRoot: Hash };

export type ForkChoiceStore = {
  readonly params: ChainParams;
  /** The current slot; moved by onTick only. */
  nowSlot: number;
  readonly tree: ProtoArray;
  readonly votes: LatestVotes;
  /** Votes of the current slot or a little ahead: a vote counts from the slot after its own. */
  queuedVotes: HeadVote[];
  /** Votes of blocks for heads that are not in the tree yet. */
  headlessVotes: HeadVote[];
  justified: TreeCheckpoint;
  /** The block whose import raised `justified`, and the slot in which that happened. */
  justifiedProof: Hash;
  justifiedAtSlot: number;
  finalized: TreeCheckpoint;
  /** Every justified checkpoint seen in a valid block's state, not below finality; keyed by checkpointKey. */
  readonly justifiedSeen: Map<string, JustifiedCheckpoint>;
  /** Weights of the validators, in increments, as of `justified`. */
  balances: Uint16Array;
  totalBalance: number;
  /** The timely block of this slot that gets the proposer boost. */
  boostRoot: Hash | undefined;
  /** The head as of the last computation. */
  headRoot: Hash;
};

export type ForkChoiceErrorDetail =
  | { readonly code: "FORK_CHOICE_UNKNOWN_PARENT"; readonly parentRoot: Hash }
  | { readonly code: "FORK_CHOICE_FUTURE_BLOCK"; readonly slot: number; readonly nowSlot: number }
  | { readonly code: "FORK_CHOICE_NOT_AFTER_PARENT"; readonly slot: number; readonly parentSlot: number }
  | { readonly code: "FORK_CHOICE_BEHIND_FINALITY"; readonly slot: number; readonly finalizedSlot: number }
  | {
      readonly code: "FORK_CHOICE_SAFETY_FAULT";
      readonly finalizedEpoch: number;
      readonly finalizedRoot: Hash;
      readonly conflictingEpoch: number;
      readonly conflictingRoot: Hash;
    };

/**
 * A block fork choice does not take. SAFETY_FAULT is of another kind than the rest: it proves that a third of
 * the stake signed slashable messages, and the node must stop its duties and call for a person.
 */
export class ForkChoiceError extends CodedError<ForkChoiceErrorDetail> {}

export type ForkChoiceAnchor = {
  readonly root: Hash;
  readonly slot: number;
  /** The anchor is finalized and justified at this epoch. */
  readonly epoch: number;
  readonly balances: Uint16Array;
};

/** A store that knows one block, finalized: genesis, a checkpoint, or where the node stopped. */
export function createForkChoice(
  params: ChainParams,
  anchor: ForkChoiceAnchor,
  nowSlot: number,
): ForkChoiceStore {
  const checkpoint = { epoch: anchor.epoch, root: anchor.root };
  const { balances } = anchor;
  return {
    params,
    nowSlot,
    tree: createProtoArray({ root: anchor.root, slot: anchor.slot, justifiedEpoch: anchor.epoch }),
    votes: createLatestVotes(balances.length),
    queuedVotes: [],
    headlessVotes: [],
    justified: checkpoint,
    justifiedProof: anchor.root,
    justifiedAtSlot: nowSlot,
    finalized: checkpoint,
    justifiedSeen: new Map([[checkpointKey(checkpoint), { checkpoint, proofRoot: anchor.root }]]),
    balances,
    totalBalance: sum(balances),
    boostRoot: undefined,
    headRoot: anchor.root,
  };
}

export function checkpointKey(checkpoint: TreeCheckpoint): string {
  return `${checkpoint.epoch}:${checkpoint.root}`;
}

/**
 * Root of the checkpoint block of `epoch` on the chain that ends in `tipRoot`: unique per chain and epoch.
 * Undefined when the tip is unknown or the checkpoint lies below the finalized block.
 */
export function checkpointBlock(store: ForkChoiceStore, tipRoot: Hash, epoch: number): Hash | undefined {
  const tip = store.tree.indices.get(tipRoot);
  if (tip === undefined) return undefined;
  const index = ancestorAtOrBefore(store.tree, tip, computeCheckpointSlot(epoch, store.params));
  return index === NO_BLOCK ? undefined : rootAt(store.tree, index);
}

/** Whether the chain that ends in `tipRoot` has `checkpoint` as its checkpoint of that epoch. */
export function isOnChain(store: ForkChoiceStore, tipRoot: Hash, checkpoint: TreeCheckpoint): boolean {
  return checkpointBlock(store, tipRoot, checkpoint.epoch) === checkpoint.root;
}

/**
 * The source an honest voter for `epoch` on `headRoot` names: the highest justified checkpoint seen, in any
 * valid block, that lies on the head's chain.
 */
export function bestSource(
  store: ForkChoiceStore,
  headRoot: Hash,
  epoch: number,
): JustifiedCheckpoint | undefined {
  let best: JustifiedCheckpoint | undefined;
  for (const candidate of store.justifiedSeen.values()) {
    const { checkpoint } = candidate;
    if (checkpoint.epoch >= epoch || (best !== undefined && checkpoint.epoch <= best.checkpoint.epoch))
      continue;
    if (isFinalizedCheckpoint(store, checkpoint) || isOnChain(store, headRoot, checkpoint)) best = candidate;
  }
  return best;
}

/** Slot of the checkpoint's block; the block is in the tree. */
export function slotOfRoot(store: ForkChoiceStore, root: Hash): number | undefined {
  const index = store.tree.indices.get(root);
  return index === undefined ? undefined : slotAt(store.tree, index);
}

/** The finalized checkpoint is on every chain of the tree, although what lies below it is gone. */
function isFinalizedCheckpoint(store: ForkChoiceStore, checkpoint: TreeCheckpoint): boolean {
  return checkpoint.epoch === store.finalized.epoch && checkpoint.root === store.finalized.root;
}

function createLatestVotes(capacity: number): LatestVotes {
  return {
    slots: new Float64Array(capacity).fill(-1),
    blocks: new Int32Array(capacity).fill(NO_BLOCK),
    equivocating: new Uint8Array(capacity),
  };
}

/** Makes room for validators that were registered since. */
export function growLatestVotes(votes: LatestVotes, validators: number): void {
  if (validators <= votes.slots.length) return;
  const larger = createLatestVotes(Math.max(validators, 2 * votes.slots.length));
  larger.slots.set(votes.slots);
  larger.blocks.set(votes.blocks);
  larger.equivocating.set(votes.equivocating);
  Object.assign(votes, larger);
}

export function sum(balances: Uint16Array): number {
  let total = 0;
  for (const balance of balances) total += balance;
  return total;
}
