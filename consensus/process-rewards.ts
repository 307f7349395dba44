/** What the duties of the period that ended earned and cost. See specs/consensus/staking.md#rewards. */
import { subtractUpTo } from "./balances.ts";
import { dutiesPerPeriod, getBaseRewardPerIncrement } from "./base-reward.ts";
import { containersOf } from "./chain-containers.ts";
import type { Gwei, ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getActiveIndices, getRegistry, getTotalActiveIncrements, type Registry } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeCheckpointSlot, computeEpochAtSlot, type Epoch } from "./time.ts";

/** The period that ended, as far as all its validators have it in common. */
type Settlement = {
  readonly params: ChainParams;
  readonly isLeaking: boolean;
  readonly duties: number;
  readonly basePerIncrement: Gwei;
  readonly totalIncrements: bigint;
  /** Hits of unslashed validators, each counted with its increments. */
  readonly targetHits: bigint;
  readonly headHits: bigint;
};

/** One validator's part in it. */
type Part = { readonly increments: number; readonly target: number; readonly head: number };

/**
 * Moves inactivity scores and pays rewards and penalties. A period in which no vote was included changes nothing:
 * no validator can be told apart from another, so a network that slept as a whole finds its stakes as they were.
 *
 * @param state at the first slot of the next period, with the hits of the one that ended.
 */
export function processRewards(state: ConsensusState, params: ChainParams): void {
  const targetHits = state.hitsTarget.getAll();
  const headHits = state.hitsHead.getAll();
  if (!targetHits.some(isPositive) && !headHits.some(isPositive)) return;
  const registry = getRegistry(state, params);
  const epoch = computeEpochAtSlot(state.slot - 1, params);
  const active = getActiveIndices(registry, epoch, params);
  const settlement = settle(state, registry, epoch, targetHits, headHits, params);
  const balances = state.balances.getAll();
  const scores = state.inactivityScores.getAll();
  const deltas = new Map<number, bigint>();
  let isAnyScoreChanged = false;
  for (const index of eligible(state, registry, active, epoch)) {
    const isSlashed = registry.slashed[index] === 1;
    const part: Part = {
      increments: registry.effectiveBalances[index] ?? 0,
      target: isSlashed ? 0 : (targetHits[index] ?? 0),
      head: isSlashed ? 0 : (headHits[index] ?? 0),
    };
    const scoreBefore = scores[index] ?? 0;
    const score = nextScore(scoreBefore, part.target, settlement);
    if (score !== scoreBefore) isAnyScoreChanged = true;
    scores[index] = score;
    const paid = (balances[index] ?? 0n) + remembered(deltas, part, () => rewardOf(part, settlement));
    balances[index] = subtractUpTo(paid, penaltyOf(part, settlement) + leakOf(part, score, settlement));
  }
  const { fields } = containersOf(params).BeaconState;
  state.balances = fields.balances.toViewDU(balances);
  if (isAnyScoreChanged) state.inactivityScores = fields.inactivityScores.toViewDU(scores);
}

const isPositive = (hits: number): boolean => hits > 0;

function settle(
  state: ConsensusState,
  registry: Registry,
  epoch: Epoch,
  targetHits: readonly number[],
  headHits: readonly number[],
  params: ChainParams,
): Settlement {
  const weighed = (hits: readonly number[]): bigint => {
    let sum = 0;
    for (const index of getActiveIndices(registry, epoch, params)) {
      if (registry.slashed[index] === 0) sum += (registry.effectiveBalances[index] ?? 0) * (hits[index] ?? 0);
    }
    return BigInt(sum);
  };
  return {
    ...{ params, isLeaking: isLeaking(state, params), duties: dutiesPerPeriod(state.slot - 1, params) },
    basePerIncrement: getBaseRewardPerIncrement(state, epoch, params),
    totalIncrements: BigInt(Math.max(1, getTotalActiveIncrements(registry, epoch, params))),
    ...{ targetHits: weighed(targetHits), headHits: weighed(headHits) },
  };
}

/** Whether finality is so far behind that the absent lose stake until two thirds are present again. */
export function isLeaking(state: ConsensusState, params: ChainParams): boolean {
  const finalizedSlot = computeCheckpointSlot(state.finalized.epoch, params);
  return params.leakEnabled && state.slot - finalizedSlot > params.leakDelaySlots;
}

/** Active in the period, or slashed and not yet gone. @see altair/beacon-chain.md, get_eligible_validator_indices */
function eligible(
  state: ConsensusState,
  registry: Registry,
  active: Uint32Array,
  epoch: Epoch,
): readonly ValidatorIndex[] {
  const members = new Set(active);
  const leaving = [...registry.slashed.keys()].filter(
    (index) =>
      registry.slashed[index] === 1 &&
      !members.has(index) &&
      epoch + 1 < state.validators.getReadonly(index).withdrawableEpoch,
  );
  return [...active, ...leaving];
}

/** Counted per duty: a validator that does four duties of five is where it was. */
function nextScore(score: number, hits: number, { params, duties, isLeaking: leaking }: Settlement): number {
  const raised = score + params.inactivityScoreBias * (duties - hits);
  const afterHits = raised - Math.min(raised, hits);
  return leaking ? afterHits : Math.max(0, afterHits - params.inactivityScoreRecoveryRate * duties);
}

/** Base reward times weight, times the validator's share of its duties, times everybody's. Nothing during a leak. */
function rewardOf({ increments, target, head }: Part, settlement: Settlement): Gwei {
  const { params, isLeaking: leaking, basePerIncrement, totalIncrements, targetHits, headHits } = settlement;
  if (leaking) return 0n;
  const duties = BigInt(settlement.duties);
  const base = BigInt(increments) * basePerIncrement;
  const shared = (weight: bigint, hits: number, everybodys: bigint): Gwei =>
    (base * weight * BigInt(hits) * everybodys) /
    (params.weightDenominator * duties * duties * totalIncrements);
  return shared(params.targetWeight, target, targetHits) + shared(params.headWeight, head, headHits);
}

/** For targets missed; a missed head costs nothing. */
function penaltyOf({ increments, target }: Part, settlement: Settlement): Gwei {
  const { params, duties, basePerIncrement } = settlement;
  if (target === duties) return 0n;
  const missed = BigInt(duties - target);
  const base = BigInt(increments) * basePerIncrement;
  return (base * params.targetWeight * missed) / (params.weightDenominator * BigInt(duties));
}

/** The leak: in proportion to the score and to the duties missed. */
function leakOf({ increments, target }: Part, score: number, { params, duties }: Settlement): Gwei {
  if (score === 0 || target === duties) return 0n;
  const effective = BigInt(increments) * params.effectiveBalanceIncrementGwei;
  const quotient = BigInt(params.inactivityScoreBias) * params.inactivityPenaltyQuotient;
  return (effective * BigInt(score) * BigInt(duties - target)) / (quotient * BigInt(duties) ** 2n);
}

/** Most validators earn one of a few amounts. */
function remembered(deltas: Map<number, bigint>, part: Part, compute: () => bigint): bigint {
  const key = (part.increments * 256 + part.target) * 256 + part.head;
  let delta = deltas.get(key);
  if (delta === undefined) {
    delta = compute();
    deltas.set(key, delta);
  }
  return delta;
}
