/** The final chain replayed block by block beside plain books of who was paid what. See specs/simulation/invariants.md. */
import type { BeaconBlock } from "../../consensus/chain-containers.ts";
import type { Validator } from "../../consensus/containers.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import { getAttestingIndices } from "../../consensus/indexed-attestation.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { type ConsensusState, forkState, getStateRoot } from "../../consensus/state.ts";
import { stateTransition } from "../../consensus/state-transition.ts";
import { computeCheckpointSlot, computeStartSlotAtEpoch, FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { type NaiveStakes, naivePeriod, naiveStakes, totalStake } from "../consensus/naive-staking.ts";
import { isProven } from "./deposit-proofs.ts";
import {
  checkRingOf,
  checkVotes,
  type FinalityBooks,
  noteWeights,
  openFinalityBooks,
} from "./finality-books.ts";
import type { KnownBlock } from "./observer.ts";
import type { Simulation } from "./simulation.ts";
import { must } from "./violation.ts";

type Ledger = {
  readonly params: ChainParams;
  readonly control: ChainParams;
  readonly finality: FinalityBooks | undefined;
  /** By slot: the root of the last block at or before it. */
  readonly roots: Hash[];
  readonly seen: Map<number, Set<number>>;
  hitsTarget: number[];
  hitsHead: number[];
};

/** What the chain was made by, what it should have been made by, and whether the two are compared. */
type Rules = Pick<Simulation, "params" | "control" | "isJudgedByEffects">;

/**
 * The chain alone, from genesis, leads to the states its blocks name, and moves stake as the naive rules of `control`
 * do. @throws Violation 4, 6, 7, 10 or 14
 */
export function replayChain(
  chain: readonly KnownBlock[],
  genesis: Genesis,
  { params, control, isJudgedByEffects }: Rules,
): void {
  let state = genesis.state;
  const zeros = new Array<number>(state.validators.length).fill(0);
  const ledger: Ledger = {
    ...{ params, control, roots: [toHex(genesis.blockRoot)], seen: new Map() },
    finality: isJudgedByEffects ? undefined : openFinalityBooks(genesis.state, control),
    ...{ hitsTarget: zeros, hitsHead: zeros },
  };
  for (const { block, root } of chain) {
    const pre = throughPeriods(ledger, state, block.message.slot);
    state = stateTransition(pre, block.message, params);
    must(toHex(getStateRoot(state)) === toHex(block.message.stateRoot), 7, "replay leads elsewhere");
    if (ledger.finality !== undefined) checkVotes(ledger.finality, block.message, state, control);
    checkBlock(ledger, pre, block.message, state);
    ledger.roots[block.message.slot] = root;
  }
  if (ledger.finality !== undefined) checkRingOf(ledger.finality, state);
  checkChurn(state, control);
}

/** The state at the block's slot; each period entered on the way is the naive one's. */
function throughPeriods(ledger: Ledger, from: ConsensusState, slot: number): ConsensusState {
  const { params, control, roots } = ledger;
  const last = roots.at(-1)!;
  for (let empty = roots.length; empty < slot; empty++) roots[empty] = last;
  let state = forkState(from);
  const first = Math.floor(from.slot / control.periodSlots) + 1;
  for (let period = first; period * control.periodSlots <= slot; period++) {
    processSlots(state, period * control.periodSlots - 1, params);
    state.commit();
    const naive = naiveStakes(state);
    const total = totalStake(naive);
    naivePeriod(naive, control, (pending) => isProven(pending, control));
    state = forkState(state);
    processSlots(state, period * control.periodSlots, params);
    state.commit();
    if (ledger.finality !== undefined) noteWeights(ledger.finality, state, control);
    const actual = naiveStakes(state);
    must(text(actual) === text(naive), 6, `period ${period} differs: ${difference(actual, naive)}`);
    must(total + naive.issued - naive.burned === totalStake(actual), 6, "stake appeared or disappeared");
    const zeros = actual.balances.map(() => 0);
    ledger.hitsTarget = zeros;
    ledger.hitsHead = zeros;
  }
  processSlots(state, slot, params);
  state.commit();
  return state;
}

const COMPARED = [
  "validators",
  "balances",
  "scores",
  "pending",
  "slashings",
  "depositRoom",
  "exitRoom",
] as const;

function text(stakes: NaiveStakes, names: readonly (typeof COMPARED)[number][] = COMPARED): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);
  return JSON.stringify(
    names.map((name) => stakes[name]),
    plain,
  );
}

function difference(a: NaiveStakes, b: NaiveStakes): string {
  return COMPARED.filter((name) => text(a, [name]) !== text(b, [name])).join(", ");
}

function checkBlock(ledger: Ledger, pre: ConsensusState, block: BeaconBlock, post: ConsensusState): void {
  const { control } = ledger;
  const validators = pre.validators.getAllReadonlyValues();
  must(!validators[block.proposerIndex]!.slashed, 10, "a slashed validator proposed");
  const weighed = creditVotes(ledger, block, post);
  must(post.hitsTarget.getAll().join() === ledger.hitsTarget.join(), 14, "votes for targets paid twice");
  must(post.hitsHead.getAll().join() === ledger.hitsHead.join(), 14, "votes for heads paid twice");

  const balances = pre.balances.getAll();
  for (const { validatorIndex, amount } of block.body.executionPayload.withdrawals) {
    balances[validatorIndex]! -= amount;
  }
  const after = post.validators.getAllReadonlyValues();
  for (const [index, { slashed, effectiveBalance }] of validators.entries()) {
    checkDelay(after[index]!, control);
    if (slashed || !after[index]!.slashed) continue;
    balances[index]! -= effectiveBalance / control.minSlashingPenaltyQuotient;
    balances[block.proposerIndex]! += effectiveBalance / control.whistleblowerRewardQuotient;
  }
  balances[block.proposerIndex]! += proposerReward(ledger, pre, weighed);
  must(balances.join() === post.balances.getAll().join(), 6, "a block moved stake it should not have");
}

/** Stake that leaves stays slashable for as long as what it signed may still count. */
function checkDelay({ exitEpoch, withdrawableEpoch }: Validator, control: ChainParams): void {
  if (exitEpoch === FAR_FUTURE_EPOCH) return;
  const slots =
    computeStartSlotAtEpoch(withdrawableEpoch, control) - computeStartSlotAtEpoch(exitEpoch, control);
  must(slots >= control.minWithdrawabilityDelaySlots, 6, `stake is free ${slots} slots after its exit`);
}

/** Counts each vote once, when timely. @returns increments times weights, for the proposer. */
function creditVotes(ledger: Ledger, block: BeaconBlock, post: ConsensusState): bigint {
  const { params, control, roots, seen } = ledger;
  const duties = control.periodSlots / control.forks[0]!.slotsPerEpoch;
  let weighed = 0n;
  const hit = (hits: readonly number[], voters: readonly number[], weight: bigint): number[] => {
    const counted = [...hits];
    for (const voter of voters) {
      counted[voter] = Math.min(duties, counted[voter]! + 1);
      weighed +=
        (post.validators.getReadonly(voter).effectiveBalance / control.effectiveBalanceIncrementGwei) *
        weight;
    }
    return counted;
  };
  for (const attestation of block.body.attestations) {
    const { data } = attestation;
    const delay = block.slot - data.slot;
    if (delay > control.timelyTargetSlots) continue;
    const { epoch } = data.target;
    const before = seen.get(epoch) ?? new Set();
    const voters = getAttestingIndices(post, attestation, params).filter((voter) => !before.has(voter));
    seen.set(epoch, new Set([...before, ...voters]));
    const isTargetRight = toHex(data.target.root) === roots[computeCheckpointSlot(epoch, control)];
    const isHeadRight = delay <= control.timelyHeadSlots && toHex(data.beaconBlockRoot) === roots[data.slot];
    if (isTargetRight) ledger.hitsTarget = hit(ledger.hitsTarget, voters, control.targetWeight);
    if (isHeadRight) ledger.hitsHead = hit(ledger.hitsHead, voters, control.headWeight);
  }
  return weighed;
}

function proposerReward({ control }: Ledger, pre: ConsensusState, weighed: bigint): bigint {
  const epoch = Math.floor(pre.slot / control.forks[0]!.slotsPerEpoch);
  const total = pre.validators
    .getAllReadonlyValues()
    .filter(({ activationEpoch, exitEpoch }) => activationEpoch <= epoch && epoch < exitEpoch)
    .reduce((sum, { effectiveBalance }) => sum + effectiveBalance, 0n);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** 2n <= total) root += bit;
  const perIncrement = (control.effectiveBalanceIncrementGwei * control.baseRewardFactor) / root;
  const duties = BigInt(control.periodSlots / control.forks[0]!.slotsPerEpoch);
  return (weighed * perIncrement * 8n) / (56n * 64n * duties);
}

/** From the first exit on, no more stake has left by the end of any period than its churn and those before it allow. */
function checkChurn(state: ConsensusState, control: ChainParams): void {
  const leaving = new Map<number, bigint>();
  for (const { exitEpoch, effectiveBalance } of state.validators.getAllReadonlyValues()) {
    if (exitEpoch === FAR_FUTURE_EPOCH) continue;
    const period = Math.floor(computeStartSlotAtEpoch(exitEpoch, control) / control.periodSlots);
    leaving.set(period, (leaving.get(period) ?? 0n) + effectiveBalance);
  }
  const periods = [...leaving.keys()].sort((a, b) => a - b);
  let left = 0n;
  for (const period of periods) {
    left += leaving.get(period)!;
    const allowed = BigInt(period - periods[0]! + 1) * control.minChurnGwei;
    must(left <= allowed, 6, `more stake leaves by period ${period} than the churn allows`);
  }
}
