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
    scenarios: ["late-messages", "slow-links"],
  },
  "fresh-boost": {
    rule: "the boost is a share of the stake that voted lately",
    off: "freshBoost",
    scenarios: ["minority"],
  },
  boost: { rule: "a block on time is boosted", params: { proposerBoostPercent: 0 }, scenarios: ["ex-ante"] },
  "late-boost": {
    rule: "a late block is not boosted",
    off: "boostOnTime",
    scenarios: ["late-proposers"],
  },
  "fresh-third": {
    rule: "fresh votes of less than a third do not decide alone",
    off: "freshVotesNeedAThird",
    scenarios: ["outage"],
  },
  expiry: {
    rule: "old votes give way to fresh ones",
    params: { lmdExpirySlots: NEVER_SLOTS },
    scenarios: ["stale-branch"],
  },
  equivocators: {
    rule: "votes of proven equivocators weigh nothing",
    off: "equivocationDiscounting",
    scenarios: ["equivocators", "balancing"],
  },
  valve: { rule: "an unadopted proof draws the head in the end", off: "valve", scenarios: ["ancient-proof"] },
  "catch-up": {
    rule: "proposers carry a proof over to their branch",
    off: "catchUp",
    scenarios: ["withheld-proof", "slashed-holder"],
  },
  ring: {
    rule: "a justified checkpoint is not forgotten by age alone",
    off: "ringKeptAboveFinality",
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
  watermark: {
    rule: "a signer keeps a watermark over restarts (EIP-3076)",
    withoutWatermark: true,
    scenarios: ["crashes"],
  },
  "pay-once": { rule: "a vote pays once", off: "payOnce", scenarios: ["spam", "stakes"] },
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
