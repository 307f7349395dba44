/** What a period's duties are worth, and the proposer's share for including them. See specs/consensus/staking.md#rewards. */
import type { BitArray } from "@chainsafe/ssz";
import { increaseBalance } from "./balances.ts";
import type { Gwei } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getRegistry, getTotalActiveBalance } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, type Epoch, forkAtSlot, type Slot } from "./time.ts";

/** Duties of a validator in the period of `slot`: one per epoch. */
export function dutiesPerPeriod(slot: Slot, params: ChainParams): number {
  return params.periodSlots / forkAtSlot(slot, params).slotsPerEpoch;
}

/**
 * What one increment of stake may earn in the period of `epoch`, proposer's share aside. It falls with the root of
 * the stake, so that issuance grows with it.
 * @see consensus-specs v1.5.0, altair/beacon-chain.md, get_base_reward_per_increment
 */
export function getBaseRewardPerIncrement(state: ConsensusState, epoch: Epoch, params: ChainParams): Gwei {
  const total = getTotalActiveBalance(getRegistry(state, params), epoch, params);
  return (params.effectiveBalanceIncrementGwei * params.baseRewardFactor) / integerSquareRoot(total);
}

/** The largest integer whose square is at most `value`, by Newton's method. */
export function integerSquareRoot(value: bigint): bigint {
  let root = value;
  let next = (value + 1n) / 2n;
  while (next < root) {
    root = next;
    next = (root + value / root) / 2n;
  }
  return root;
}

/** Votes that a block was the first to include: who was right about the target, and who about the head. */
export type NewHits = { readonly target: BitArray | undefined; readonly head: BitArray | undefined };

/** What the included votes are worth, in increments times weight; summed over a block and paid at its end. */
export function weighHits(state: ConsensusState, { target, head }: NewHits, params: ChainParams): bigint {
  const { effectiveBalances } = getRegistry(state, params);
  const sum = (voters: BitArray | undefined): bigint => {
    let increments = 0;
    for (const index of voters?.getTrueBitIndexes() ?? []) increments += effectiveBalances[index] ?? 0;
    return BigInt(increments);
  };
  return sum(target) * params.targetWeight + sum(head) * params.headWeight;
}

/**
 * Pays the block's proposer its share for the votes it was the first to include, leak or not: someone must want to
 * include them. @see consensus-specs v1.5.0, altair/beacon-chain.md, process_attestation
 */
export function payProposer(state: ConsensusState, weighedHits: bigint, params: ChainParams): void {
  const { weightDenominator, proposerWeight } = params;
  const perIncrement = getBaseRewardPerIncrement(state, computeEpochAtSlot(state.slot, params), params);
  const duties = BigInt(dutiesPerPeriod(state.slot, params));
  const share = weighedHits * perIncrement * proposerWeight;
  const reward = share / ((weightDenominator - proposerWeight) * weightDenominator * duties);
  increaseBalance(state, state.latestBlockHeader.proposerIndex, reward);
}
