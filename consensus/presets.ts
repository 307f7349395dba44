/** The parameter sets a chain specification may name. See specs/consensus/params.md#presets. */
import { type ChainParams, checked } from "./params.ts";
import { ALL_RULES } from "./rules.ts";

const GWEI_PER_COIN = 1_000_000_000n;
const MIB = 1024 * 1024;

/** One laptop: seconds to finality, and a chain that is quick to leave. */
export const DEVNET_PARAMS: ChainParams = checked({
  presetName: "devnet",
  slotSeconds: 1,
  forks: [{ version: "0x6a000001", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 }],
  targetLagSlots: 1,
  attestationDuePercent: 50,
  aggregateDuePercent: 75,
  periodSlots: 32,
  finalitySpanEpochs: 8,
  slotsPerHistoricalRoot: 8192,
  oldEpochsPerBlock: 16,
  adoptionSlots: 16,
  lmdExpirySlots: 32,
  proposerBoostPercent: 33,
  syncToleranceSlots: 4,
  timelyHeadSlots: 1,
  timelyTargetSlots: 8,
  unaggregatedVoterLimit: 2048,
  targetCommitteeSize: 128,
  maxCommitteesPerSlot: 64,
  targetAggregatorsPerCommittee: 16,
  shuffleRounds: 90,
  maxValidatorsPerSlot: 131_072,
  validatorRegistryLimit: 2 ** 40,
  maxAttestations: 16,
  maxProposerSlashings: 16,
  maxAttesterSlashings: 2,
  maxVoluntaryExits: 16,
  maxDepositRequests: 8192,
  maxWithdrawalRequests: 16,
  maxTransactions: 65_536,
  maxBytesPerTransaction: 131_072,
  maxTransactionBytesPerBlock: 2 * MIB,
  maxWithdrawals: 16,
  maxPartialWithdrawals: 8,
  withdrawalSweepLimit: 512,
  maxExtraDataBytes: 32,
  justifiedRingLimit: 2 ** 30,
  pendingDepositsLimit: 2 ** 27,
  maxDepositsPerPeriod: 16,
  pendingPartialWithdrawalsLimit: 2 ** 27,
  randaoMixesLength: 512,
  slashingsLength: 256,
  effectiveBalanceIncrementGwei: GWEI_PER_COIN,
  minActivationBalanceGwei: 32n * GWEI_PER_COIN,
  maxEffectiveBalanceGwei: 2048n * GWEI_PER_COIN,
  ejectionBalanceGwei: 16n * GWEI_PER_COIN,
  hysteresisQuotient: 4n,
  hysteresisDownwardMultiplier: 1n,
  hysteresisUpwardMultiplier: 5n,
  minChurnGwei: 128n * GWEI_PER_COIN,
  churnQuotient: 32n,
  maxActivationChurnGwei: 256n * GWEI_PER_COIN,
  minWithdrawabilityDelaySlots: 8192,
  minSlashingPenaltyQuotient: 128n,
  whistleblowerRewardQuotient: 512n,
  proportionalSlashingMultiplier: 3n,
  baseRewardFactor: 5n,
  targetWeight: 40n,
  headWeight: 16n,
  proposerWeight: 8n,
  weightDenominator: 64n,
  leakEnabled: true,
  leakDelaySlots: 64,
  inactivityScoreBias: 4,
  inactivityScoreRecoveryRate: 16,
  inactivityPenaltyQuotient: 256n,
  weakSubjectivityDecayPercent: 10,
  rules: ALL_RULES,
});

/** The devnet without the leak: a laptop that slept an hour must not lose its validators. */
export const TESTNET_PARAMS: ChainParams = checked({
  ...DEVNET_PARAMS,
  presetName: "testnet",
  forks: [{ version: "0x6a000002", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 }],
  leakEnabled: false,
});

/** The testnet in a hurry: a validator joins, leaves and has its stake back within a minute or two. Never for value. */
export const REHEARSAL_PARAMS: ChainParams = checked({
  ...TESTNET_PARAMS,
  presetName: "rehearsal",
  forks: [{ version: "0x6a000005", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 }],
  periodSlots: 8,
  slotsPerHistoricalRoot: 32,
  minWithdrawabilityDelaySlots: 32,
});

/** An open network of up to about 16 000 validators. Periods of 128 seconds. */
export const PUBLIC_PARAMS: ChainParams = checked({
  ...DEVNET_PARAMS,
  presetName: "public",
  slotSeconds: 4,
  forks: [{ version: "0x6a000003", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 }],
  slotsPerHistoricalRoot: 65_536,
  adoptionSlots: 32,
  lmdExpirySlots: 64,
  syncToleranceSlots: 8,
  randaoMixesLength: 4096,
  slashingsLength: 8192,
  minChurnGwei: 43n * GWEI_PER_COIN,
  churnQuotient: 196_608n,
  maxActivationChurnGwei: 86n * GWEI_PER_COIN,
  minWithdrawabilityDelaySlots: 151_200,
  baseRewardFactor: 21n,
  leakDelaySlots: 3600,
  inactivityPenaltyQuotient: 16_100_000n,
});

/** Half a million validators: epochs of 32 slots, so that each slot still has about 16 000 voters. */
export const LARGE_PARAMS: ChainParams = checked({
  ...PUBLIC_PARAMS,
  presetName: "large",
  forks: [{ version: "0x6a000004", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 32 }],
  finalitySpanEpochs: 4,
  oldEpochsPerBlock: 2,
  adoptionSlots: 64,
  lmdExpirySlots: 64,
  timelyTargetSlots: 32,
  proposerBoostPercent: 40,
});

export const PRESETS = {
  devnet: DEVNET_PARAMS,
  testnet: TESTNET_PARAMS,
  rehearsal: REHEARSAL_PARAMS,
  public: PUBLIC_PARAMS,
  large: LARGE_PARAMS,
} as const;

export type PresetName = keyof typeof PRESETS;

/**
 * A preset with some values replaced, checked again.
 *
 * @throws InvariantError when the replaced values do not fit the rest.
 */
export function createParams(preset: PresetName, replaced: Partial<ChainParams> = {}): ChainParams {
  return checked({ ...PRESETS[preset], ...replaced });
}
