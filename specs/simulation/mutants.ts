/** The protocol with one rule off, and where that shows. See specs/simulation/mutants.md. */
import type { Switch } from "./simulator-params.ts";

export type Mutant = Switch & {
  /** What is off. */
  readonly rule: string;
  /** Where it is looked for; seeds of the first come first. */
  readonly scenarios: readonly string[];
};

const NEVER_SLOTS = 1_000_000;
/** A divisor, or an amount, beyond all stake. */
const HUGE = 2n ** 60n;

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  surround: {
    rule: "surround votes are slashable",
    off: "surroundVotesAreSlashable",
    scenarios: ["vote-search", "surround"],
  },
  supermajority: {
    rule: "justification and finality take two thirds of the stake",
    off: "twoThirds",
    scenarios: ["vote-search"],
  },
  "right-target": {
    rule: "a vote for another chain's target justifies nothing",
    off: "rightTarget",
    scenarios: ["vote-search"],
  },
  gap: {
    rule: "all epochs within a finalizing link are justified",
    off: "linkWithoutGaps",
    scenarios: ["vote-search"],
  },
  span: {
    rule: "a finalizing link spans few epochs",
    params: { finalitySpanEpochs: 64 },
    scenarios: ["vote-search"],
  },
  "single-source": {
    rule: "finality takes two thirds from one source",
    off: "singleSourceFinality",
    scenarios: ["vote-search", "chaos"],
  },
  "justified-source": {
    rule: "a vote's source is justified on its chain",
    off: "justifiedSource",
    scenarios: ["vote-search"],
  },
  lag: {
    rule: "the target lies a slot back",
    params: { targetLagSlots: 0 },
    isJudgedByEffects: true,
    scenarios: ["tight-links"],
  },
  "fresh-boost": {
    rule: "the boost is a share of the stake that voted lately",
    off: "freshBoost",
    isJudgedByEffects: true,
    scenarios: ["minority"],
  },
  boost: {
    rule: "a block on time is boosted",
    params: { proposerBoostPercent: 0 },
    isJudgedByEffects: true,
    scenarios: ["ex-ante"],
  },
  "late-boost": {
    rule: "a late block is not boosted",
    off: "boostOnTime",
    scenarios: ["late-proposers"],
  },
  "only-proposal": {
    rule: "a proposer's second block takes the boost from both",
    off: "boostOnlyProposal",
    scenarios: ["equivocators", "balancing"],
  },
  "vote-wait": {
    rule: "a vote counts from the slot after its own",
    off: "votesWaitASlot",
    scenarios: ["good-links"],
  },
  "above-checkpoint": {
    rule: "blocks at or below the justified checkpoint's slot are no head",
    off: "headAboveCheckpoint",
    scenarios: ["tree-search"],
  },
  "fresh-third": {
    rule: "fresh votes of less than a third do not decide alone",
    off: "freshVotesNeedAThird",
    isJudgedByEffects: true,
    scenarios: ["outage"],
  },
  expiry: {
    rule: "old votes give way to fresh ones",
    params: { lmdExpirySlots: NEVER_SLOTS },
    isJudgedByEffects: true,
    scenarios: ["stale-branch"],
  },
  equivocators: {
    rule: "votes of proven equivocators weigh nothing",
    off: "equivocationDiscounting",
    scenarios: ["equivocators", "balancing"],
  },
  valve: {
    rule: "an unadopted proof draws the head in the end",
    off: "valve",
    isJudgedByEffects: true,
    scenarios: ["ancient-proof"],
  },
  "catch-up": {
    rule: "proposers carry a proof over to their branch",
    off: "catchUp",
    scenarios: ["withheld-proof", "slashed-holder"],
  },
  ring: {
    rule: "a justified checkpoint is not forgotten by age alone",
    off: "ringKeptAboveFinality",
    isJudgedByEffects: true,
    scenarios: ["long-outage"],
  },
  snapshots: {
    rule: "votes weigh what their period began with",
    off: "snapshotWeights",
    scenarios: ["slashed-holder"],
  },
  gate: {
    rule: "a node that slept finishes its sync before it does duties",
    params: { syncToleranceSlots: NEVER_SLOTS },
    scenarios: ["long-sleep", "sleepers"],
  },
  budget: {
    rule: "a liar keeps the duties gate shut for a bounded time",
    off: "gateHasBudget",
    scenarios: ["liars"],
  },
  fault: {
    rule: "two conflicting finalized checkpoints end all duties",
    off: "faultEndsDuties",
    scenarios: ["twins-meet"],
  },
  watermark: {
    rule: "a signer keeps a watermark over restarts (EIP-3076)",
    withoutWatermark: true,
    scenarios: ["crashes"],
  },
  "pay-once": { rule: "a vote pays once", off: "payOnce", scenarios: ["spam", "stakes"] },
  "timely-target": {
    rule: "only a timely vote is paid",
    params: { timelyTargetSlots: 16 },
    scenarios: ["late-votes"],
  },
  "timely-head": {
    rule: "a vote for the head is paid in the next block only",
    params: { timelyHeadSlots: 8 },
    scenarios: ["late-messages"],
  },
  "target-pay": {
    rule: "votes for the target are paid",
    params: { targetWeight: 0n },
    scenarios: ["stakes"],
  },
  "head-pay": {
    rule: "votes for the head are paid",
    params: { headWeight: 0n },
    scenarios: ["stakes"],
  },
  churn: {
    rule: "stake enters and leaves in turn",
    params: { minChurnGwei: HUGE, maxActivationChurnGwei: HUGE },
    scenarios: ["stakes"],
  },
  activation: {
    rule: "deposits and activations wait for finality",
    off: "activationAfterFinality",
    scenarios: ["stakes"],
  },
  "deposit-proof": {
    rule: "a new key proves that it is held",
    off: "depositsNeedProof",
    scenarios: ["stakes"],
  },
  "exit-delay": {
    rule: "stake that leaves can still be slashed for a while",
    params: { minWithdrawabilityDelaySlots: 0 },
    scenarios: ["stakes"],
  },
  ejection: {
    rule: "who has too little stake left is ejected",
    params: { ejectionBalanceGwei: 0n },
    scenarios: ["leak"],
  },
  hysteresis: {
    rule: "effective balances follow with a gap",
    params: { hysteresisDownwardMultiplier: 0n, hysteresisUpwardMultiplier: 0n },
    scenarios: ["stakes"],
  },
  correlation: {
    rule: "who is slashed together pays more",
    params: { proportionalSlashingMultiplier: 0n },
    scenarios: ["stakes"],
  },
  penalty: {
    rule: "a slashing costs at once",
    params: { minSlashingPenaltyQuotient: HUGE },
    scenarios: ["stakes", "equivocators"],
  },
  whistleblower: {
    rule: "evidence pays its proposer",
    params: { whistleblowerRewardQuotient: HUGE },
    scenarios: ["stakes", "equivocators"],
  },
  leak: {
    rule: "the absent lose stake while nothing is final",
    params: { leakEnabled: false },
    scenarios: ["stakes"],
  },
  recovery: {
    rule: "inactivity scores recover when there is no leak",
    params: { inactivityScoreRecoveryRate: 0 },
    scenarios: ["stakes"],
  },
  evidence: {
    rule: "proposers include the evidence they know",
    off: "evidenceIsPacked",
    scenarios: ["equivocators"],
  },
  "slashed-proposer": {
    rule: "a slashed validator does not propose",
    off: "slashedDoNotPropose",
    scenarios: ["equivocators", "stakes"],
  },
};

/** @throws when there is no mutant of this name. */
export function mutantOf(name: string): Mutant {
  const mutant = MUTANTS[name];
  if (mutant !== undefined) return mutant;
  throw new Error(`no mutant ${name}: there are ${Object.keys(MUTANTS).join(", ")}`);
}
