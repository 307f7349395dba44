/** Weighing a tree of blocks by the latest votes. Hot path. See specs/consensus/fork-choice.md#weights. */
import { NO_BLOCK, type ProtoArray } from "./proto-array.ts";

/** The newest vote of each validator, in flat arrays indexed by validator. One writer: the fork-choice store. */
export type LatestVotes = {
  /** Slot of the vote, or -1 when there is none. */
  slots: Float64Array;
  /** Index of the voted block in the tree, or NO_BLOCK when it was pruned or there is no vote. */
  blocks: Int32Array;
  /** 1 for a validator that was proven to equivocate: it weighs nothing, for ever. */
  equivocating: Uint8Array;
};

/**
 * Fills the tree's two weight columns: for each block the stake whose latest vote is for it or for a block
 * above it, split into votes of `freshFromSlot` or later and older ones.
 *
 * Computed from nothing each time: it costs one addition per validator and two per block, and there is no
 * second copy of the votes that could drift from the first.
 *
 * Hot path: runs on every head computation. It allocates nothing; keep it that way.
 *
 * @param balances effective balance per validator, in increments; integers, so sums are exact below 2^53.
 */
export function weighTree(
  tree: ProtoArray,
  votes: LatestVotes,
  balances: Uint16Array,
  freshFromSlot: number,
): void {
  const { freshWeights, staleWeights, parents, length } = tree;
  const { slots, blocks, equivocating } = votes;
  freshWeights.fill(0, 0, length);
  staleWeights.fill(0, 0, length);

  const voters = Math.min(blocks.length, balances.length);
  for (let voter = 0; voter < voters; voter++) {
    const block = blocks[voter]!;
    if (block === NO_BLOCK || equivocating[voter] === 1) continue;
    if (slots[voter]! >= freshFromSlot) freshWeights[block]! += balances[voter]!;
    else staleWeights[block]! += balances[voter]!;
  }

  for (let block = length - 1; block > 0; block--) {
    const parent = parents[block]!;
    freshWeights[parent]! += freshWeights[block]!;
    staleWeights[parent]! += staleWeights[block]!;
  }
}

/**
 * Stake of the validators whose latest vote is of `fromSlot` or later and who never equivocated, in
 * increments. Hot path, as above.
 */
export function stakeVotingSince(votes: LatestVotes, balances: Uint16Array, fromSlot: number): number {
  const { slots, equivocating } = votes;
  const voters = Math.min(slots.length, balances.length);
  let stake = 0;
  for (let voter = 0; voter < voters; voter++) {
    if (slots[voter]! >= fromSlot && equivocating[voter] === 0) stake += balances[voter]!;
  }
  return stake;
}
