/** Every constant of the protocol, passed as one frozen value. See specs/consensus/params.md. */
import type { Hex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { RuleName, Rules } from "./rules.ts";
import { ALL_RULES } from "./rules.ts";

/**
 * A stretch of slots with one signature version and one epoch length.
 * `epoch(slot) = firstEpoch + (slot − firstSlot) // slotsPerEpoch`, so the epoch length may change at a
 * fork without epochs running backwards.
 */
export type ForkParams = {
  /** Four bytes mixed into every signing domain. */
  readonly version: Hex;
  readonly firstSlot: number;
  readonly firstEpoch: number;
  readonly slotsPerEpoch: number;
};

/** The reasons for the values: specs/consensus/params.md. Amounts are in Gwei. */
export type ChainParams = {
  readonly presetName: string;

  // Time
  /** Whole seconds, because block timestamps are. */
  readonly slotSeconds: number;
  /** Ascending; the first begins at slot 0 and epoch 0. */
  readonly forks: readonly ForkParams[];
  /** An epoch's checkpoint is the last block this many slots before its first slot, or earlier. */
  readonly targetLagSlots: 0 | 1;
  /** Share of the slot after which attesters vote without waiting for the block. */
  readonly attestationDuePercent: number;
  readonly aggregateDuePercent: number;
  /** Registry, shuffling, rewards and weight snapshots change once per period. */
  readonly periodSlots: number;

  // Finality
  /** Longest link, in epochs, that finalizes its source. */
  readonly finalitySpanEpochs: number;
  /** Votes, tallies and snapshots this many slots old are forgotten. */
  readonly slotsPerHistoricalRoot: number;
  /** Distinct target epochs older than the timely window that one block may carry votes for. */
  readonly oldEpochsPerBlock: number;

  // Fork choice and duties
  readonly adoptionSlots: number;
  readonly lmdExpirySlots: number;
  readonly proposerBoostPercent: number;
  readonly syncToleranceSlots: number;

  // Votes
  readonly timelyHeadSlots: number;
  readonly timelyTargetSlots: number;
  /** Up to this many voters a slot form one committee and vote unaggregated. */
  readonly unaggregatedVoterLimit: number;
  readonly targetCommitteeSize: number;
  readonly maxCommitteesPerSlot: number;
  /** Members of a committee that are expected to be drawn as its aggregators. */
  readonly targetAggregatorsPerCommittee: number;
  readonly shuffleRounds: number;

  // List limits of the containers
  readonly maxValidatorsPerSlot: number;
  readonly validatorRegistryLimit: number;
  readonly maxAttestations: number;
  readonly maxProposerSlashings: number;
  readonly maxAttesterSlashings: number;
  readonly maxVoluntaryExits: number;
  readonly maxDepositRequests: number;
  readonly maxWithdrawalRequests: number;
  readonly maxTransactions: number;
  readonly maxBytesPerTransaction: number;
  /** All transactions of a block together; a rule, not a list limit. */
  readonly maxTransactionBytesPerBlock: number;
  readonly maxWithdrawals: number;
  /** Of those, payments of a part that was asked for. */
  readonly maxPartialWithdrawals: number;
  /** Validators looked at per block for stake to pay out. */
  readonly withdrawalSweepLimit: number;
  readonly maxExtraDataBytes: number;
  readonly justifiedRingLimit: number;
  readonly pendingDepositsLimit: number;
  /** Deposits taken in per period. */
  readonly maxDepositsPerPeriod: number;
  readonly pendingPartialWithdrawalsLimit: number;

  // Rings indexed by period
  readonly randaoMixesLength: number;
  readonly slashingsLength: number;

  // Stake
  readonly effectiveBalanceIncrementGwei: bigint;
  readonly minActivationBalanceGwei: bigint;
  readonly maxEffectiveBalanceGwei: bigint;
  readonly ejectionBalanceGwei: bigint;
  readonly hysteresisQuotient: bigint;
  readonly hysteresisDownwardMultiplier: bigint;
  readonly hysteresisUpwardMultiplier: bigint;
  /** Balance that may enter or leave per period: max(minChurnGwei, totalActive / churnQuotient). */
  readonly minChurnGwei: bigint;
  readonly churnQuotient: bigint;
  readonly maxActivationChurnGwei: bigint;
  readonly minWithdrawabilityDelaySlots: number;

  // Slashing
  readonly minSlashingPenaltyQuotient: bigint;
  readonly whistleblowerRewardQuotient: bigint;
  readonly proportionalSlashingMultiplier: bigint;

  // Rewards
  readonly baseRewardFactor: bigint;
  readonly targetWeight: bigint;
  readonly headWeight: bigint;
  readonly proposerWeight: bigint;
  readonly weightDenominator: bigint;

  // Inactivity leak
  readonly leakEnabled: boolean;
  readonly leakDelaySlots: number;
  readonly inactivityScoreBias: number;
  readonly inactivityScoreRecoveryRate: number;
  readonly inactivityPenaltyQuotient: bigint;

  // Weak subjectivity
  readonly weakSubjectivityDecayPercent: number;

  /** What is not a number. No parameter set can leave one out. */
  readonly rules: Rules;
};

/**
 * The parameters with the relations between them checked.
 *
 * @throws InvariantError naming the relation that does not hold.
 */
export function checked(params: ChainParams): ChainParams {
  checkTime(params);
  checkForks(params);
  checkRings(params);
  checkStake(params);
  checkCommittees(params);
  checkRules(params);
  return Object.freeze(params);
}

function checkTime(params: ChainParams): void {
  assert(isPositiveInteger(params.slotSeconds), "a slot lasts whole seconds");
  assert(
    0 < params.attestationDuePercent && params.attestationDuePercent < params.aggregateDuePercent,
    "votes fall due before aggregates",
  );
  assert(params.aggregateDuePercent < 100, "aggregates fall due inside their slot");
  assert(params.targetLagSlots === 0 || params.targetLagSlots === 1, "the target lags by at most a slot");
  assert(isPositiveInteger(params.periodSlots), "a period has slots");
  assert(params.finalitySpanEpochs >= 1, "a link spans at least one epoch");
  assert(params.timelyHeadSlots <= params.timelyTargetSlots, "a timely head vote is a timely vote");
}

function checkForks(params: ChainParams): void {
  let previous: ForkParams | undefined;
  for (const fork of params.forks) {
    assert(/^0x[0-9a-f]{8}$/.test(fork.version), "a fork version has four bytes");
    assert(isPositiveInteger(fork.slotsPerEpoch), "an epoch has slots");
    assert(params.periodSlots % fork.slotsPerEpoch === 0, "a period is a whole number of epochs");
    assert(params.periodSlots / fork.slotsPerEpoch <= 255, "the votes of a period are counted in a byte");
    assert(fork.firstSlot % params.periodSlots === 0, "a fork begins with a period");
    if (previous === undefined) {
      assert(fork.firstSlot === 0 && fork.firstEpoch === 0, "the first fork begins at genesis");
    } else {
      assert(fork.firstSlot > previous.firstSlot, "forks are in ascending order");
      const epochs = (fork.firstSlot - previous.firstSlot) / previous.slotsPerEpoch;
      assert(fork.firstEpoch === previous.firstEpoch + epochs, "epochs go on counting over a fork");
    }
    // Votes of the previous epoch still count in full when they arrive within the timely window.
    assert(params.slotsPerHistoricalRoot >= 2 * fork.slotsPerEpoch, "two epochs of block roots are kept");
    previous = fork;
  }
  assert(previous !== undefined, "there is a fork to begin with");
}

function checkRings(params: ChainParams): void {
  assert(
    params.slotsPerHistoricalRoot % params.periodSlots === 0,
    "the age limit of votes is a whole number of periods",
  );
  // The oldest vote needs the seed of its period, made of the mix two periods before it.
  const periodsOfVotes = params.slotsPerHistoricalRoot / params.periodSlots;
  assert(params.randaoMixesLength >= periodsOfVotes + 3, "the seed of the oldest vote is kept");
  assert(params.slashingsLength % 2 === 0, "a slashing has a half-way period");
  assert(params.timelyTargetSlots < params.slotsPerHistoricalRoot, "timely votes are not forgotten");
  assert(params.oldEpochsPerBlock >= 1, "a proof can be carried over");
  assert(
    params.minWithdrawabilityDelaySlots >= params.slotsPerHistoricalRoot,
    "stake cannot leave while votes it signed still count",
  );
  assert(
    params.minWithdrawabilityDelaySlots <= params.slashingsLength * params.periodSlots,
    "stake cannot leave before the penalty for slashings around it",
  );
}

function checkStake(params: ChainParams): void {
  const increment = params.effectiveBalanceIncrementGwei;
  assert(params.maxEffectiveBalanceGwei % increment === 0n, "the largest balance is whole increments");
  assert(params.maxEffectiveBalanceGwei / increment < 2n ** 16n, "a weight fits in 16 bits");
  assert(params.minActivationBalanceGwei % increment === 0n, "the smallest stake is whole increments");
  assert(params.minActivationBalanceGwei <= params.maxEffectiveBalanceGwei, "the smallest stake is allowed");
  assert(params.ejectionBalanceGwei < params.minActivationBalanceGwei, "ejection is below activation");
  assert(params.minChurnGwei >= params.minActivationBalanceGwei, "a validator fits into the churn");
  // Otherwise a validator would gain by reporting itself.
  assert(
    params.whistleblowerRewardQuotient >= params.minSlashingPenaltyQuotient,
    "a slashing costs more than its report earns",
  );
  const weights = params.targetWeight + params.headWeight + params.proposerWeight;
  assert(weights === params.weightDenominator, "the reward weights add up");
  assert(params.maxPartialWithdrawals < params.maxWithdrawals, "parts asked for leave room for the sweep");
  assert(params.withdrawalSweepLimit >= params.maxWithdrawals, "a sweep can fill a payload");
}

function checkCommittees(params: ChainParams): void {
  const { unaggregatedVoterLimit, targetCommitteeSize } = params;
  assert(unaggregatedVoterLimit <= params.maxValidatorsPerSlot, "one committee fits a vote's bits");
  // Several committees are how a state says that votes are aggregated.
  assert(unaggregatedVoterLimit >= 2 * targetCommitteeSize, "more voters than the limit make two committees");
  assert(isPositiveInteger(params.maxCommitteesPerSlot), "a slot has a committee");
  assert(isPositiveInteger(params.targetAggregatorsPerCommittee), "somebody aggregates");
}

/** The types say the same; parameters read from a file have none. */
function checkRules({ rules }: ChainParams): void {
  for (const name of Object.keys(ALL_RULES) as RuleName[]) {
    assert(rules[name] === true, `the rule ${name} is in force`);
  }
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
