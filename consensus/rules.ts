/** The rules that are code and not a number, by name, so that the simulator can play without one. See specs/simulation/mutants.md. */

/**
 * All in force. The type says so, too: `false` does not fit, and `checked` refuses parameters that leave a rule out.
 * Only the simulator makes itself such parameters (specs/simulation/mutants.ts), to see that it notices.
 */
export const ALL_RULES = Object.freeze({
  /** Each epoch between the two ends of a link that finalizes is justified. @see specs/consensus/finality.md#finalization */
  linkWithoutGaps: true,
  /** Justification and finality take two thirds of the stake. @see specs/consensus/finality.md#justification */
  twoThirds: true,
  /** A vote for another chain's target counts for no justification. @see specs/consensus/finality.md#tallies */
  rightTarget: true,
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
  /** Two conflicting finalized checkpoints end all duties. @see specs/consensus/finality.md#safety-fault */
  faultEndsDuties: true,
  /** @see specs/consensus/finality.md#slashable-votes */
  surroundVotesAreSlashable: true,
  /** A slashed proposer leaves its slot empty. @see specs/consensus/state-transition.md#header */
  slashedDoNotPropose: true,
  /** Deposits and activations wait for finality. @see specs/consensus/staking.md#registry */
  activationAfterFinality: true,
  /** A new key proves that it is held. @see specs/consensus/staking.md#deposits */
  depositsNeedProof: true,
  /** Proposers include the evidence they know. @see specs/consensus/duties.md#operations */
  evidenceIsPacked: true,
  /** Proposers carry over the votes that justified what their branch has not. @see specs/consensus/duties.md#packing */
  catchUp: true,
  /** Votes of proven equivocators weigh nothing. @see specs/consensus/fork-choice.md#handlers */
  equivocationDiscounting: true,
  /** A vote counts from the slot after its own. @see specs/consensus/fork-choice.md#handlers */
  votesWaitASlot: true,
  /** Blocks at or below the justified checkpoint's slot are no head. @see specs/consensus/fork-choice.md#get_head */
  headAboveCheckpoint: true,
  /** The boost is a share of the stake that voted lately, not of all. @see specs/consensus/fork-choice.md#get_head */
  freshBoost: true,
  /** Fresh votes of less than a third do not decide alone. @see specs/consensus/fork-choice.md#get_head */
  freshVotesNeedAThird: true,
  /** After too long without adoption the head goes to where the proof is. @see specs/consensus/fork-choice.md#get_head */
  valve: true,
  /** Only a block that came before votes fall due is boosted. @see specs/consensus/gossip-rules.md#blocks */
  boostOnTime: true,
  /** A proposer's second block for a slot takes the boost from both. @see specs/consensus/fork-choice.md#choose */
  boostOnlyProposal: true,
  /** A liar keeps the duties gate shut for a bounded time. @see specs/consensus/duties.md#the-gate */
  gateHasBudget: true,
} as const);

export type RuleName = keyof typeof ALL_RULES;

/** Each of them `true`. */
export type Rules = typeof ALL_RULES;
