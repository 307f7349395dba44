/** One size of the consensus benchmark: builds a chain, then times a slot's work on it. */

import { containersOf } from "../consensus/chain-containers.ts";
import { onBlock, onTick, onVote } from "../consensus/fork-choice.ts";
import { getHead } from "../consensus/fork-choice-head.ts";
import { createForkChoice, type ForkChoiceStore } from "../consensus/fork-choice-store.ts";
import type { ChainParams } from "../consensus/params.ts";
import { processSlots } from "../consensus/process-slots.ts";
import { computeWeights, getRegistry } from "../consensus/registry.ts";
import { forgetShufflings, getCommittees } from "../consensus/selection.ts";
import { bodySignatureSets, headerSignatureSet } from "../consensus/signature-sets.ts";
import { type ConsensusState, forkState, getLatestBlockRoot } from "../consensus/state.ts";
import { stateTransition } from "../consensus/state-transition.ts";
import { blsVerifySets } from "../primitives/bls.ts";
import { toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { medianProcessorMillis } from "./median.ts";
import {
  createScaleChain,
  makeScaleBlock,
  type ScaleBlock,
  type ScaleChain,
  voteDataOf,
  wholeSlot,
} from "./scale-chain.ts";
import { measureMemory } from "./scale-memory.ts";
import { measureAggregates, measurePacking, measureSingleVotes } from "./scale-votes.ts";

/** Milliseconds of processor time, unless the name says otherwise. */
export type ScaleCosts = {
  readonly voters: number;
  readonly committees: number;
  readonly usualBlock: number;
  readonly fullBlock: number;
  readonly fullBlockSignatures: number;
  readonly periodBlock: number;
  readonly periodWork: number;
  readonly head: number;
  readonly aggregateSignatures: number;
  readonly singleVotesAlone: number;
  readonly singleVotesGathered: number;
  readonly packing: number;
  readonly stateMegabytes: number;
  readonly memoryMegabytes: number;
};

const millis = medianProcessorMillis;

/** Two whole periods in which everyone votes, so that every list of the state is as long as it gets. */
const CHAIN_PERIODS = 2;
const FULL_BLOCK_ATTESTATIONS = 16;

export function measureScale(validators: number, slotsPerEpoch: number): ScaleCosts {
  const chain = createScaleChain(validators, slotsPerEpoch);
  const { params } = chain;
  const states = growChain(chain, CHAIN_PERIODS * params.periodSlots - 1);
  const lastSlot = states.length - 1;
  const last = stateAt(states, lastSlot);
  const committees = getCommittees(last, lastSlot, params);

  const boundary = makeScaleBlock(chain, last, lastSlot + 1, [votesOf(chain, last, lastSlot)]);
  const usual = makeScaleBlock(chain, stateAt(states, lastSlot - 1), lastSlot, [
    votesOf(chain, stateAt(states, lastSlot - 1), lastSlot - 1),
  ]);
  const { parent, full } = fullBlock(chain, stateAt(states, lastSlot - 1));
  const singleVotes = measureSingleVotes(chain, last, lastSlot);
  return {
    voters: committees.reduce((sum, { length }) => sum + length, 0),
    committees: committees.length,
    usualBlock: transition(chain, stateAt(states, lastSlot - 1), usual, true),
    fullBlock: transition(chain, parent, full, false),
    fullBlockSignatures: verify(chain, parent, full),
    periodBlock: transition(chain, last, boundary, true),
    periodWork: millis(() => processSlots(forkState(last), lastSlot + 1, params)),
    head: measureHead(chain, states),
    aggregateSignatures: measureAggregates(chain, last, lastSlot),
    singleVotesAlone: singleVotes.alone,
    singleVotesGathered: singleVotes.gathered,
    packing: measurePacking(chain, last),
    stateMegabytes: last.serialize().length / 1e6,
    memoryMegabytes: measureMemory(validators, slotsPerEpoch),
  };
}

function stateAt(states: readonly ConsensusState[], slot: number): ConsensusState {
  const state = states[slot];
  assert(state !== undefined, "the chain has no gaps");
  return state;
}

/** Post-states by slot; each block carries everyone's votes of the slot before. */
function growChain(chain: ScaleChain, lastSlot: number): readonly ConsensusState[] {
  const states = [chain.genesis];
  for (let slot = 1; slot <= lastSlot; slot++) {
    const parent = stateAt(states, slot - 1);
    const votes = slot > chain.firstVoteSlot ? [votesOf(chain, parent, slot - 1)] : [];
    states.push(makeScaleBlock(chain, parent, slot, votes).postState);
  }
  return states;
}

function votesOf(chain: ScaleChain, state: ConsensusState, slot: number) {
  return wholeSlot(chain, state, voteDataOf(chain, state, slot));
}

/** Sixteen slots in a row whose votes nobody included, and the block that includes them all. */
function fullBlock(chain: ScaleChain, start: ConsensusState) {
  let parent = start;
  const first = start.slot + 1;
  for (let slot = first; slot < first + FULL_BLOCK_ATTESTATIONS; slot++) {
    parent = makeScaleBlock(chain, parent, slot, []).postState;
  }
  const slots = Array.from({ length: FULL_BLOCK_ATTESTATIONS }, (_, i) => first + i);
  const attestations = slots.map((slot) => votesOf(chain, parent, slot));
  return { parent, full: makeScaleBlock(chain, parent, parent.slot + 1, attestations, true) };
}

/** @param isNew whether the committees of the votes were never asked for before. */
function transition(
  { params }: ScaleChain,
  preState: ConsensusState,
  { block }: ScaleBlock,
  isNew: boolean,
): number {
  return millis(() => {
    if (isNew) forgetCommittees(preState, params);
    stateTransition(preState, block, params);
  });
}

/** As if the slot's committees were never asked for. */
function forgetCommittees(state: ConsensusState, params: ChainParams): void {
  for (const set of getRegistry(state, params).activeByPeriod.values()) forgetShufflings(set);
}

function verify({ params }: ScaleChain, preState: ConsensusState, made: ScaleBlock): number {
  const { block, signature } = made;
  const { body, ...rest } = block;
  const header = { ...rest, bodyRoot: containersOf(params).BeaconBlockBody.hashTreeRoot(body) };
  return millis(() => {
    const sets = [
      headerSignatureSet(preState, { message: header, signature }, params),
      ...bodySignatureSets(made.postState, block, params),
    ];
    assert(blsVerifySets(sets), "the block is signed");
  });
}

/** A slot's votes arrive one by one, then the slot ends. */
function measureHead(
  { params, genesisRoot, genesis }: ScaleChain,
  states: readonly ConsensusState[],
): number {
  const balances = computeWeights(getRegistry(genesis, params), 0);
  const store = createForkChoice(params, { root: genesisRoot, slot: 0, epoch: 0, balances }, 0);
  const roots = states.map((state) => toHex(getLatestBlockRoot(state)));
  for (const [slot, root] of roots.entries())
    if (slot > 0) addBlock(store, slot, root, roots[slot - 1] ?? root);
  let slot = states.length;
  return millis(() => {
    for (let voter = 0; voter < balances.length; voter++) {
      const headRoot = roots[states.length - 1 - (voter % 4)] ?? genesisRoot;
      onVote(store, { slot, headRoot, validatorIndices: [voter] });
    }
    slot++;
    onTick(store, slot);
    getHead(store);
  });
}

function addBlock(
  store: ForkChoiceStore,
  slot: number,
  root: `0x${string}`,
  parentRoot: `0x${string}`,
): void {
  onTick(store, slot);
  onBlock(store, {
    ...{ root, parentRoot, slot, justified: store.justified, finalized: store.finalized, justifiedRing: [] },
    ...{ isTimely: false, votes: [], equivocators: [], balancesAt: () => store.balances },
  });
}
