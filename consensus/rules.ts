/** The rules that are code and not a number, by name, so that the simulator can play without one. See specs/simulation/mutants.md. */

/**
 * All in force. The type says so, too: `false` does not fit, and `checked` refuses parameters that leave a rule out.
 * Only the simulator makes itself such parameters (specs/simulation/mutants.ts), to see that it notices.
 */
export const ALL_RULES = Object.freeze({
  /** Each epoch between the two ends of a link that finalizes is justified. @see specs/consensus/finality.md#finalization */
  linkWithoutGaps: true,
  /** A link that finalizes carries two thirds from one source; sources do not add up. */
  singleSourceFinality: true,
  /** A vote counts only from a source that its chain has justified. @see specs/consensus/state-transition.md#attestations */
  justifiedSource: true,
  /** A justified checkpoint is not forgotten by age alone. @see specs/consensus/finality.md#the-justified-ring */
  ringKeptAboveFinality: true,
  /** Votes weigh what their period began with. @see specs/consensus/finality.md#weights */
  snapshotWeights: true,
  /** A validator's votes for one epoch pay once. @see specs/consensus/state-transition.md#attestations */
  payOnce: true,
  /** @see specs/consensus/finality.md#slashable-votes */
  surroundVotesAreSlashable: true,
  /** A slashed proposer leaves its slot empty. @see specs/consensus/state-transition.md#header */
  slashedDoNotPropose: true,
  /** Deposits and activations wait for finality. @see specs/consensus/staking.md#registry */
  activationAfterFinality: true,
  /** Proposers carry over the votes that justified what their branch has not. @see specs/consensus/duties.md#packing */
  catchUp: true,
  /** Votes of proven equivocators weigh nothing. @see specs/consensus/fork-choice.md#handlers */
  equivocationDiscounting: true,
  /** The boost is a share of the stake that voted lately, not of all. @see specs/consensus/fork-choice.md#get_head */
  freshBoost: true,
  /** Fresh votes of less than a third do not decide alone. @see specs/consensus/fork-choice.md#get_head */
  freshVotesNeedAThird: true,
  /** After too long without adoption the head goes to where the proof is. @see specs/consensus/fork-choice.md#get_head */
  valve: true,
  /** Only a block that came before votes fall due is boosted. @see specs/consensus/gossip-rules.md#blocks */
  boostOnTime: true,
} as const);

export type RuleName = keyof typeof ALL_RULES;

/** Each of them `true`. */
export type Rules = typeof ALL_RULES;
