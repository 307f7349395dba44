import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { findVoteFault } from "../../consensus/attestation-rules.ts";
import type { Attestation } from "../../consensus/chain-containers.ts";
import type { AttestationData, Checkpoint } from "../../consensus/containers.ts";
import { isSupermajority } from "../../consensus/finality.ts";
import { areAllJustified, findJustified, justifiedSince } from "../../consensus/justified-ring.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { getCommittees } from "../../consensus/selection.ts";
import {
  type ConsensusState,
  forkState,
  getBlockRootAtSlot,
  getCheckpointRoot,
  getLatestBlockRoot,
} from "../../consensus/state.ts";
import { getTally } from "../../consensus/tallies.ts";
import { computeCheckpointSlot, computeEpochAtSlot } from "../../consensus/time.ts";
import { equalBytes } from "../../primitives/bytes.ts";
import { advanced, equalStakes, extend, genesisWith, honestData, voteOf } from "./hand-made-chain.ts";
import { type NaiveVote, naiveBlock, naiveFault, naiveGenesis, naiveSlots } from "./naive-finality.ts";

const epochsOf = (ring: readonly Checkpoint[]) => ring.map(({ epoch }) => epoch);

describe("finality: the threshold", () => {
  it("is two thirds, inclusive, without rounding", () => {
    deepEqual(
      [
        [2, 3],
        [1, 3],
        [66, 100],
        [67, 100],
        [0, 0],
      ].map(([voted, total]) => isSupermajority(voted!, total!)),
      [true, false, false, true, false],
    );
  });
});

describe("finality: four honest validators", () => {
  const params = TESTNET_PARAMS;
  const ALL = [0, 1, 2, 3];

  /** Blocks at `slots`, each with the votes of all slots since the block before. */
  function chainWith(slots: readonly number[], voters: readonly number[] = ALL): ConsensusState {
    let { state } = genesisWith(params, equalStakes(4));
    for (const slot of slots) {
      const parentSlot = state.slot;
      const at = advanced(state, slot, params);
      const votes: Attestation[] = [];
      for (let voted = Math.max(1, parentSlot); voted < slot; voted++) {
        votes.push(voteOf(at, honestData(at, voted, params), voters, params));
      }
      state = extend(state, slot, votes, params);
    }
    return state;
  }

  it("finalize a block in the second block after it", () => {
    // The votes of slot n target the block of slot n − 1. Block n + 1 justifies it and finalizes the one before.
    const state = chainWith([1, 2, 3, 4, 5, 6, 7, 8]);
    deepEqual([state.justified.epoch, state.finalized.epoch], [7, 6]);
    deepEqual(state.finalized.root, getBlockRootAtSlot(state, 5, params));
  });

  it("finalize with three of four, and not with two", () => {
    equal(chainWith([1, 2, 3, 4, 5], [0, 1, 2]).finalized.epoch, 3);
    deepEqual(epochsOf(justifiedSince(chainWith([1, 2, 3, 4, 5], [0, 1]), 0)), [0]);
  });

  it("lose nothing when slots stay empty", () => {
    const state = chainWith([1, 2, 5, 6, 9]);
    deepEqual(epochsOf(justifiedSince(state, 0)), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("do not finalize over a gap of unjustified epochs", () => {
    // Epoch 3 has no votes: the link 2 → 4 would skip it.
    const state = chainWith([1, 2, 3]);
    const at = advanced(state, 5, params);
    const fourth = honestData(at, 4, params);
    equal(fourth.source.epoch, 2);
    const skipped = extend(state, 5, [voteOf(at, fourth, ALL, params)], params);
    deepEqual([skipped.justified.epoch, skipped.finalized.epoch], [4, 1]);
    // The missing votes come later, from mixed sources: they finalize nothing themselves, but complete the link.
    const fromTwo = { ...honestData(at, 3, params), source: fourth.source };
    const fromOne = { ...fromTwo, source: findJustified(at, 1)! };
    const third = [voteOf(at, fromTwo, [0, 1], params), voteOf(at, fromOne, [2, 3], params)];
    const completed = extend(skipped, 6, third, params);
    deepEqual(epochsOf(justifiedSince(completed, 2)), [2, 3, 4]);
    equal(completed.finalized.epoch, 2);
  });

  /** Epochs 1 to `last` justified from epoch 0, which finalizes nothing. */
  function justifiedFromGenesis(last: number): ConsensusState {
    let { state } = genesisWith(params, equalStakes(4));
    const source = state.justified;
    for (let slot = 1; slot <= last + 1; slot++) {
      const at = advanced(state, slot, params);
      const votes =
        slot === 1 ? [] : [voteOf(at, { ...honestData(at, slot - 1, params), source }, ALL, params)];
      state = extend(state, slot, votes, params);
    }
    return state;
  }

  it("finalize over links of at most the span", () => {
    for (const [target, finalized] of [
      [9, 1],
      [10, 0],
    ] as const) {
      const state = justifiedFromGenesis(target - 1);
      equal(state.finalized.epoch, 0);
      const at = advanced(state, target + 1, params);
      const link = { ...honestData(at, target, params), source: findJustified(at, 1)! };
      const post = extend(state, target + 1, [voteOf(at, link, ALL, params)], params);
      deepEqual([post.justified.epoch, post.finalized.epoch], [target, finalized]);
    }
  });

  it("are tallied by source only where the link may finalize it", () => {
    const state = justifiedFromGenesis(9);
    const at = advanced(state, 11, params);
    const from = (source: number) => ({ ...honestData(at, 10, params), source: findJustified(at, source)! });
    const votes = [0, 1, 2, 9].map((source, voter) => voteOf(at, from(source), [voter], params));
    const tally = getTally(extend(state, 11, votes, params), 10, params)!;
    deepEqual(tally.bits.getTrueBitIndexes(), ALL);
    deepEqual(
      tally.bySource.map(({ sourceEpoch, bits }) => [sourceEpoch, bits.getTrueBitIndexes()]),
      [
        [2, [2]],
        [9, [3]],
      ],
    );
  });

  it("justify from mixed sources, but finalize from one", () => {
    const state = chainWith([1, 2, 3]);
    const at = advanced(state, 4, params);
    const fromTwo = { ...honestData(at, 3, params), source: findJustified(at, 2)! };
    const fromOne = { ...fromTwo, source: findJustified(at, 1)! };
    const mixed = extend(
      state,
      4,
      [voteOf(at, fromTwo, [0, 1], params), voteOf(at, fromOne, [2, 3], params)],
      params,
    );
    deepEqual([mixed.justified.epoch, mixed.finalized.epoch], [3, 1]);
  });

  it("count the first vote of a validator for an epoch, and no second one", () => {
    const state = chainWith([1, 2, 3]);
    const at = advanced(state, 4, params);
    const fromTwo = { ...honestData(at, 3, params), source: findJustified(at, 2)! };
    const fromOne = { ...fromTwo, source: findJustified(at, 1)! };
    const votes = [voteOf(at, fromOne, [0, 1], params), voteOf(at, fromTwo, ALL, params)];
    equal(extend(state, 4, votes, params).finalized.epoch, 1);
    equal(extend(state, 4, votes.toReversed(), params).finalized.epoch, 2);
  });

  it("may go on from a source older than SPHR while nothing is finalized", () => {
    // Two of four are away for longer than SPHR; when they return, their source is still in the ring.
    const before = chainWith([1, 2, 3, 4, 5]);
    let state = forkState(before);
    const start = before.slot + params.slotsPerHistoricalRoot + 1000;
    for (let slot = start; slot < start + 5; slot++) {
      const at = advanced(state, slot, params);
      state = extend(state, slot, [voteOf(at, honestData(at, slot - 1, params), ALL, params)], params);
    }
    equal(state.finalized.epoch, start + 5 - 3);
  });
});

describe("finality: a chain with a block in each slot and every vote in the next", () => {
  for (const count of [4, 16]) {
    it(`is final three slots behind its head over three periods, with ${count} validators`, () => {
      const params = TESTNET_PARAMS;
      let { state } = genesisWith(params, equalStakes(count));
      const everyone = Array.from({ length: count }, (_, index) => index);
      const proposers = new Set<number>();
      for (let slot = 1; slot <= 100; slot++) {
        const at = advanced(state, slot, params);
        const votes = slot === 1 ? [] : [voteOf(at, honestData(at, slot - 1, params), everyone, params)];
        state = extend(state, slot, votes, params);
        proposers.add(state.latestBlockHeader.proposerIndex);
        const finalSlot = Math.max(0, computeCheckpointSlot(state.finalized.epoch, params));
        equal(finalSlot, Math.max(0, slot - 3));
        if (finalSlot > 0) deepEqual(state.finalized.root, getBlockRootAtSlot(state, finalSlot, params));
      }
      equal(proposers.size, count);
      // The period began at slot 96; its five blocks credited a vote each.
      deepEqual(
        state.hitsTarget.getAll(),
        everyone.map(() => 5),
      );
    });
  }
});

/** Small rings, so that age limits are reached. */
function smallParams(slotsPerEpoch: number, targetLagSlots: 0 | 1, finalitySpanEpochs: number): ChainParams {
  return createParams("testnet", {
    forks: [{ version: "0x6a000002", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
    targetLagSlots,
    finalitySpanEpochs,
    periodSlots: 8,
    slotsPerHistoricalRoot: 24,
    randaoMixesLength: 8,
    slashingsLength: 8,
    minWithdrawabilityDelaySlots: 32,
    timelyTargetSlots: 6,
    maxAttestations: 32,
    oldEpochsPerBlock: 32,
  });
}

const smallParamSets = [
  smallParams(1, 1, 4),
  smallParams(1, 0, 2),
  smallParams(2, 1, 3),
  smallParams(4, 1, 2),
];

/** One attempt at a vote: how old, by whom, from which justified checkpoint (0 the highest), and what is wrong with it. */
const voteArbitrary = fc.record({
  age: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 0, max: 30 })),
  voters: fc.oneof(fc.constant(0b111111), fc.constant(0b001111), fc.constant(0b110011), fc.nat(0b111111)),
  sourceRank: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
  lie: fc.oneof(
    { weight: 12, arbitrary: fc.constant("none" as const) },
    fc.constantFrom("head" as const, "target" as const, "sourceRoot" as const),
  ),
});
type VoteAttempt = typeof voteArbitrary extends fc.Arbitrary<infer T> ? T : never;

const slotArbitrary = fc.record({
  emptyBefore: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(3), fc.nat(30)),
  votes: fc.array(voteArbitrary, { minLength: 0, maxLength: 4 }),
});
const historyArbitrary = fc.array(slotArbitrary, { minLength: 1, maxLength: 24 });
const STAKES = [32, 40, 32, 32, 50, 33];

/** Every voter votes in time: among the random histories, one that surely justifies and finalizes. */
const honestHistory = (slots: number) =>
  Array.from({ length: slots }, () => ({
    emptyBefore: 0,
    votes: [{ age: 1, voters: 0b111111, sourceRank: 0, lie: "none" as const }],
  }));

function attemptedVote(at: ConsensusState, attempt: VoteAttempt, params: ChainParams): NaiveVote | undefined {
  const slot = at.slot - attempt.age;
  if (slot < 0) return undefined;
  const epoch = computeEpochAtSlot(slot, params);
  const sources = justifiedSince(at, 0).filter((checkpoint) => checkpoint.epoch < epoch);
  const source = sources[sources.length - 1 - (attempt.sourceRank % Math.max(1, sources.length))];
  if (source === undefined) return undefined;
  const lie = new Uint8Array(32).fill(0xff);
  const isKnown = at.slot - slot < params.slotsPerHistoricalRoot && slot < at.slot;
  const data: AttestationData = {
    slot,
    index: 0,
    beaconBlockRoot: attempt.lie === "head" || !isKnown ? lie : getBlockRootAtSlot(at, slot, params),
    source: attempt.lie === "sourceRoot" ? { ...source, root: lie } : source,
    target: { epoch, root: attempt.lie === "target" ? lie : getCheckpointRoot(at, epoch, params) },
  };
  const [committee = new Uint32Array()] = getCommittees(at, Math.min(slot, at.slot), params);
  const voters = Array.from(committee).filter((index) => ((attempt.voters >> index) & 1) === 1);
  return voters.length === 0 ? undefined : { data, voters };
}

type Step = { readonly slot: number; readonly votes: readonly NaiveVote[]; readonly state: ConsensusState };

type Observer = {
  onVote?(at: ConsensusState, vote: NaiveVote, fault: string | undefined): void;
  onBlock?(step: Step): void;
};

/** Plays a history on the real chain; the observer sees each vote tried, and each block with those included. */
function play(
  history: readonly { emptyBefore: number; votes: readonly VoteAttempt[] }[],
  params: ChainParams,
  observer: Observer = {},
): Step[] {
  let { state } = genesisWith(params, STAKES);
  const steps: Step[] = [];
  for (const { emptyBefore, votes: attempts } of history) {
    const slot = state.slot + 1 + emptyBefore;
    const at = advanced(state, slot, params);
    const votes: NaiveVote[] = [];
    for (const attempt of attempts) {
      const vote = attemptedVote(at, attempt, params);
      if (vote === undefined) continue;
      const fault = findVoteFault(at, vote.data, params);
      observer.onVote?.(at, vote, fault);
      if (fault === undefined) votes.push(vote);
    }
    state = withVotes(state, slot, votes, params);
    const step = { slot, votes, state };
    observer.onBlock?.(step);
    steps.push(step);
  }
  return steps;
}

function withVotes(
  parent: ConsensusState,
  slot: number,
  votes: readonly NaiveVote[],
  params: ChainParams,
): ConsensusState {
  const at = advanced(parent, slot, params);
  return extend(
    parent,
    slot,
    votes.map(({ data, voters }) => voteOf(at, data, voters, params)),
    params,
  );
}

describe("finality: any votes on one chain", () => {
  for (const [index, params] of smallParamSets.entries()) {
    it(`agree with the naive model (parameter set ${index})`, () => {
      let justifiedSeen = 0;
      let finalizedSeen = 0;
      fc.assert(
        fc.property(historyArbitrary, (history) => {
          const chain = naiveGenesis(STAKES);
          let root = genesisWith(params, STAKES).blockRoot;
          play(history, params, {
            onVote(at, vote, fault) {
              naiveSlots(chain, at.slot, root, params);
              equal(naiveFault(chain, vote, params), fault);
            },
            onBlock({ slot, votes, state }) {
              naiveSlots(chain, slot, root, params);
              naiveBlock(chain, votes, params);
              root = getLatestBlockRoot(state);
              deepEqual(state.finalized, chain.finalized);
              deepEqual(state.justified, chain.justified);
              deepEqual(
                justifiedSince(state, 0),
                [...chain.ring.values()].sort((a, b) => a.epoch - b.epoch),
              );
              deepEqual(state.hitsTarget.getAll(), chain.hitsTarget);
              deepEqual(state.hitsHead.getAll(), chain.hitsHead);
              justifiedSeen = Math.max(justifiedSeen, chain.justified.epoch);
              finalizedSeen = Math.max(finalizedSeen, chain.finalized.epoch);
            },
          });
        }),
        { numRuns: 40, examples: [[honestHistory(24)]] },
      );
      ok(justifiedSeen > 0 && finalizedSeen > 0, "the histories reach justification and finality");
    });
  }

  it("never move finality back or above justification, and keep one root per epoch", () => {
    const params = smallParamSets[0]!;
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        let finalized = 0;
        let justified = 0;
        for (const { state } of play(history, params)) {
          ok(state.finalized.epoch >= finalized && state.justified.epoch >= justified);
          ok(state.finalized.epoch <= state.justified.epoch);
          finalized = state.finalized.epoch;
          justified = state.justified.epoch;
          const epochs = epochsOf(justifiedSince(state, 0));
          deepEqual(
            epochs,
            [...new Set(epochs)].sort((a, b) => a - b),
          );
          deepEqual(findJustified(state, state.finalized.epoch), state.finalized);
          for (const first of epochs) {
            const isRun = epochs.includes(first + 1) && epochs.includes(first + 2);
            equal(areAllJustified(state, first, first + 2), isRun);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("are portable: what one chain justified, the same votes justify on every chain with the checkpoint", () => {
    let carried = 0;
    for (const params of smallParamSets.slice(0, 3)) {
      fc.assert(
        fc.property(fc.array(slotArbitrary, { minLength: 2, maxLength: 9 }), fc.nat(), (history, cut) => {
          const steps = play(history, params);
          const fork = steps[cut % steps.length]!;
          const tip = steps.at(-1)!;
          const slot = tip.slot + 1;
          // What the other chain needs of the first one's votes, ascending by target, in one block.
          const at = advanced(fork.state, slot, params);
          const isShared = ({ epoch, root }: Checkpoint) =>
            equalBytes(root, getCheckpointRoot(at, epoch, params));
          const isOld = (epoch: number) =>
            computeCheckpointSlot(epoch, params) + params.slotsPerHistoricalRoot < slot;
          const votes = steps
            .flatMap((step) => step.votes)
            .filter(({ data: { target } }) => isOld(target.epoch) || isShared(target))
            .filter(({ data: { target } }) => findJustified(at, target.epoch) === undefined)
            .sort((a, b) => a.data.target.epoch - b.data.target.epoch);
          fc.pre(votes.length <= params.maxAttestations);
          for (const { data } of votes) {
            fc.pre(!isOld(data.target.epoch));
            fc.pre(data.source.epoch >= at.finalized.epoch || !isOld(data.source.epoch));
          }
          const included = withVotes(fork.state, slot, votes, params);
          for (const checkpoint of justifiedSince(tip.state, 1)) {
            if (isOld(checkpoint.epoch) || !isShared(checkpoint)) continue;
            deepEqual(findJustified(included, checkpoint.epoch), checkpoint);
            if (findJustified(fork.state, checkpoint.epoch) === undefined) carried += 1;
          }
        }),
        { numRuns: 30, examples: [[honestHistory(8), 3]] },
      );
    }
    ok(carried > 0, "some proof was carried over");
  });
});
