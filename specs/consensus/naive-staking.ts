/** The period work of specs/consensus/staking.md over plain lists, sentence by sentence, with a ledger. */
import type { PendingDeposit, Validator } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { computeCheckpointSlot, computeEpochAtSlot, computeStartSlotAtEpoch } from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";

const NEVER = Number.POSITIVE_INFINITY;
const COIN = 1_000_000_000n;

export type NaiveStakes = {
  slot: number;
  readonly finalizedEpoch: number;
  validators: Validator[];
  balances: bigint[];
  scores: number[];
  hitsTarget: number[];
  hitsHead: number[];
  pending: PendingDeposit[];
  slashings: bigint[];
  depositRoom: bigint;
  exitRoom: bigint;
  earliestExit: number;
  /** Stake that came into being as rewards, and that ceased to be as penalties or lost deposits. */
  issued: bigint;
  burned: bigint;
};

export function naiveStakes(state: ConsensusState): NaiveStakes {
  return {
    slot: state.slot,
    finalizedEpoch: state.finalized.epoch,
    validators: [...state.validators.getAllReadonlyValues()],
    balances: state.balances.getAll(),
    scores: state.inactivityScores.getAll(),
    hitsTarget: state.hitsTarget.getAll(),
    hitsHead: state.hitsHead.getAll(),
    pending: [...state.pendingDeposits.getAllReadonlyValues()],
    slashings: state.slashings.getAll(),
    depositRoom: state.depositBalanceToConsume,
    exitRoom: state.exitBalanceToConsume,
    earliestExit: state.earliestExitEpoch,
    ...{ issued: 0n, burned: 0n },
  };
}

/** All stake there is: with validators, and on the way to them. */
export function totalStake({ balances, pending }: Pick<NaiveStakes, "balances" | "pending">): bigint {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  return sum(balances) + sum(pending.map(({ amount }) => amount));
}

/** @param isProven whether a deposit's signature is right. */
export function naivePeriod(
  stakes: NaiveStakes,
  params: ChainParams,
  isProven: (deposit: PendingDeposit) => boolean,
): void {
  const period = Math.floor(stakes.slot / params.periodSlots) + 1;
  stakes.slot = period * params.periodSlots;
  rewards(stakes, params);
  registry(stakes, params);
  correlation(stakes, period, params);
  deposits(stakes, params, isProven);
  for (const [index, validator] of stakes.validators.entries()) {
    const balance = stakes.balances[index]!;
    const isBelow = balance < validator.effectiveBalance - COIN / 4n;
    const isAbove = balance > validator.effectiveBalance + (5n * COIN) / 4n;
    if (isBelow || isAbove) {
      stakes.validators[index] = { ...validator, effectiveBalance: effectiveOf(balance, validator) };
    }
  }
  stakes.hitsTarget = stakes.validators.map(() => 0);
  stakes.hitsHead = stakes.validators.map(() => 0);
}

const isActive = ({ activationEpoch, exitEpoch }: Validator, epoch: number) =>
  activationEpoch <= epoch && epoch < exitEpoch;

function effectiveOf(balance: bigint, { withdrawalCredentials }: Validator): bigint {
  const most = (withdrawalCredentials[0] === 2 ? 2048n : 32n) * COIN;
  const whole = (balance / COIN) * COIN;
  return whole < most ? whole : most;
}

function totalActive({ validators }: NaiveStakes, epoch: number): bigint {
  const active = validators.filter((validator) => isActive(validator, epoch));
  const total = active.reduce((sum, { effectiveBalance }) => sum + effectiveBalance, 0n);
  return total > COIN ? total : COIN;
}

function rewards(stakes: NaiveStakes, params: ChainParams): void {
  const { validators, hitsTarget, hitsHead } = stakes;
  if ([...hitsTarget, ...hitsHead].every((hits) => hits === 0)) return;
  const epoch = computeEpochAtSlot(stakes.slot - 1, params);
  const duties = BigInt(params.periodSlots / params.forks[0]!.slotsPerEpoch);
  const total = totalActive(stakes, epoch);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** 2n <= total) root += bit;
  const isLeaking =
    params.leakEnabled &&
    stakes.slot - computeCheckpointSlot(stakes.finalizedEpoch, params) > params.leakDelaySlots;
  const everybodys = (hits: readonly number[]) =>
    validators.reduce(
      (sum, validator, index) =>
        isActive(validator, epoch) && !validator.slashed
          ? sum + (validator.effectiveBalance / COIN) * BigInt(hits[index]!)
          : sum,
      0n,
    );
  const allTarget = everybodys(hitsTarget);
  const allHead = everybodys(hitsHead);
  for (const [index, validator] of validators.entries()) {
    const isCharged = validator.slashed && epoch + 1 < validator.withdrawableEpoch;
    if (!isActive(validator, epoch) && !isCharged) continue;
    const hits = validator.slashed ? 0n : BigInt(hitsTarget[index]!);
    const heads = validator.slashed ? 0n : BigInt(hitsHead[index]!);
    let score = BigInt(stakes.scores[index]!) + BigInt(params.inactivityScoreBias) * (duties - hits);
    score -= score < hits ? score : hits;
    const recovered = BigInt(params.inactivityScoreRecoveryRate) * duties;
    if (!isLeaking) score -= score < recovered ? score : recovered;
    stakes.scores[index] = Number(score);

    const base = (validator.effectiveBalance / COIN) * ((COIN * params.baseRewardFactor) / root);
    const share = (weight: bigint, own: bigint, all: bigint) =>
      (base * weight * own * all) / (64n * duties * duties * (total / COIN));
    if (!isLeaking) add(stakes, index, share(40n, hits, allTarget) + share(16n, heads, allHead));
    const missed = duties - hits;
    const penalty = (base * 40n * missed) / (64n * duties);
    const leak =
      (validator.effectiveBalance * score * missed) /
      (4n * params.inactivityPenaltyQuotient * duties * duties);
    take(stakes, index, penalty + leak);
  }
}

function add(stakes: NaiveStakes, index: number, amount: bigint): void {
  stakes.balances[index]! += amount;
  stakes.issued += amount;
}

function take(stakes: NaiveStakes, index: number, amount: bigint): void {
  const taken = amount < stakes.balances[index]! ? amount : stakes.balances[index]!;
  stakes.balances[index]! -= taken;
  stakes.burned += taken;
}

const firstEpochAfter = (stakes: NaiveStakes, periods: number, params: ChainParams) =>
  computeEpochAtSlot((Math.floor(stakes.slot / params.periodSlots) + periods) * params.periodSlots, params);

function registry(stakes: NaiveStakes, params: ChainParams): void {
  const epoch = computeEpochAtSlot(stakes.slot, params);
  for (const [index, validator] of stakes.validators.entries()) {
    if (validator.activationEpoch !== NEVER) continue;
    if (validator.activationEligibilityEpoch === NEVER) {
      if (validator.effectiveBalance >= 32n * COIN) {
        stakes.validators[index] = { ...validator, activationEligibilityEpoch: epoch + 1 };
      }
    } else if (validator.activationEligibilityEpoch <= stakes.finalizedEpoch) {
      stakes.validators[index] = { ...validator, activationEpoch: firstEpochAfter(stakes, 2, params) };
    }
  }
  for (const [index, validator] of stakes.validators.entries()) {
    const isPoor = validator.effectiveBalance <= params.ejectionBalanceGwei;
    if (isPoor && isActive(validator, epoch) && validator.exitEpoch === NEVER) exit(stakes, index, params);
  }
}

function churn(stakes: NaiveStakes, params: ChainParams): bigint {
  const share = totalActive(stakes, computeEpochAtSlot(stakes.slot, params)) / params.churnQuotient;
  return ((share > params.minChurnGwei ? share : params.minChurnGwei) / COIN) * COIN;
}

/** Counts the periods one by one until the churn holds the validator. */
function exit(stakes: NaiveStakes, index: number, params: ChainParams): void {
  const validator = stakes.validators[index]!;
  const others = stakes.validators.filter(
    (other, i) =>
      i !== index && other.activationEpoch !== NEVER && other.exitEpoch === NEVER && !other.slashed,
  );
  if (others.length === 0) return;
  const earliest = firstEpochAfter(stakes, 2, params);
  if (stakes.earliestExit < earliest) {
    stakes.earliestExit = earliest;
    stakes.exitRoom = churn(stakes, params);
  }
  while (stakes.exitRoom < validator.effectiveBalance) {
    const slot = computeStartSlotAtEpoch(stakes.earliestExit, params) + params.periodSlots;
    stakes.earliestExit = computeEpochAtSlot(slot, params);
    stakes.exitRoom += churn(stakes, params);
  }
  stakes.exitRoom -= validator.effectiveBalance;
  const free = computeStartSlotAtEpoch(stakes.earliestExit, params) + params.minWithdrawabilityDelaySlots;
  let withdrawableEpoch = stakes.earliestExit;
  while (computeStartSlotAtEpoch(withdrawableEpoch, params) < free) withdrawableEpoch++;
  stakes.validators[index] = { ...validator, exitEpoch: stakes.earliestExit, withdrawableEpoch };
}

function correlation(stakes: NaiveStakes, period: number, params: ChainParams): void {
  const total = totalActive(stakes, computeEpochAtSlot(stakes.slot - 1, params));
  const tripled = 3n * stakes.slashings.reduce((sum, amount) => sum + amount, 0n);
  const perIncrement = (tripled < total ? tripled : total) / (total / COIN);
  for (const [index, { slashed, withdrawableEpoch, effectiveBalance }] of stakes.validators.entries()) {
    if (!slashed || withdrawableEpoch === NEVER) continue;
    const free = Math.floor(computeStartSlotAtEpoch(withdrawableEpoch, params) / params.periodSlots);
    if (free === period + params.slashingsLength / 2) {
      take(stakes, index, perIncrement * (effectiveBalance / COIN));
    }
  }
  stakes.slashings[period % params.slashingsLength] = 0n;
}

function deposits(
  stakes: NaiveStakes,
  params: ChainParams,
  isProven: (deposit: PendingDeposit) => boolean,
): void {
  const limit = churn(stakes, params);
  const room =
    stakes.depositRoom + (limit < params.maxActivationChurnGwei ? limit : params.maxActivationChurnGwei);
  const epoch = computeEpochAtSlot(stakes.slot, params);
  const postponed: PendingDeposit[] = [];
  let left = room;
  let isFull = false;
  for (let taken = 0; taken < params.maxDepositsPerPeriod; taken++) {
    const deposit = stakes.pending[0];
    if (deposit === undefined) break;
    if (deposit.slot > computeCheckpointSlot(stakes.finalizedEpoch, params)) break;
    const index = stakes.validators.findIndex(({ pubkey }) => toHex(pubkey) === toHex(deposit.pubkey));
    const validator = stakes.validators[index];
    const isGone = validator !== undefined && validator.withdrawableEpoch < epoch;
    const isLeaving = validator !== undefined && !isGone && validator.exitEpoch !== NEVER;
    if (!isGone && !isLeaving) {
      if (deposit.amount > left) {
        isFull = true;
        break;
      }
      left -= deposit.amount;
    }
    stakes.pending.shift();
    if (isLeaving) postponed.push(deposit);
    else if (validator !== undefined) stakes.balances[index]! += deposit.amount;
    else if (isProven(deposit)) register(stakes, deposit);
    else stakes.burned += deposit.amount;
  }
  stakes.pending.push(...postponed);
  stakes.depositRoom = isFull ? left : 0n;
}

function register(stakes: NaiveStakes, { pubkey, withdrawalCredentials, amount }: PendingDeposit): void {
  const validator: Validator = {
    ...{ pubkey, withdrawalCredentials, slashed: false, effectiveBalance: 0n },
    ...{ activationEligibilityEpoch: NEVER, activationEpoch: NEVER },
    ...{ exitEpoch: NEVER, withdrawableEpoch: NEVER },
  };
  stakes.validators.push({ ...validator, effectiveBalance: effectiveOf(amount, validator) });
  stakes.balances.push(amount);
  stakes.scores.push(0);
}
