/** Parameters of simulated chains: small lists, short memories and periods, so that runs are cheap and every rule is reached. */
import { containersOf } from "../../consensus/chain-containers.ts";
import { AttestationData } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams } from "../../consensus/presets.ts";
import { ALL_RULES, type RuleName } from "../../consensus/rules.ts";

const COIN = 1_000_000_000n;

/** The devnet's rules; what follows from its numbers takes fewer slots here. */
const SMALL: Partial<ChainParams> = {
  shuffleRounds: 10,
  ...{ periodSlots: 32, slotsPerHistoricalRoot: 512, randaoMixesLength: 32, slashingsLength: 32 },
  ...{ minWithdrawabilityDelaySlots: 512, leakEnabled: false },
  ...{ maxValidatorsPerSlot: 1024, unaggregatedVoterLimit: 512, validatorRegistryLimit: 1024 },
  ...{ justifiedRingLimit: 4096, pendingDepositsLimit: 256, pendingPartialWithdrawalsLimit: 256 },
};

/** Every rule is reached within a hundred slots: periods of eight slots, a window of eight periods. */
export const FAST_STAKING: Partial<ChainParams> = {
  ...{ periodSlots: 8, slotsPerHistoricalRoot: 32, randaoMixesLength: 16, slashingsLength: 8 },
  ...{ minWithdrawabilityDelaySlots: 64, leakEnabled: true, leakDelaySlots: 12 },
  inactivityPenaltyQuotient: 64n,
  // One validator a period may leave, and one may come.
  ...{ minChurnGwei: 32n * COIN, churnQuotient: 64n, maxActivationChurnGwei: 64n * COIN },
};

/** Periods of eight slots, and votes that are remembered for so many. */
export function shortPeriods(slotsPerHistoricalRoot: number): Partial<ChainParams> {
  return {
    ...{ periodSlots: 8, slotsPerHistoricalRoot, randaoMixesLength: slotsPerHistoricalRoot / 8 + 4 },
    ...{ slashingsLength: slotsPerHistoricalRoot / 4, minWithdrawabilityDelaySlots: slotsPerHistoricalRoot },
  };
}

/** A rule switched off: by name, or by a number that takes its force. */
export type Switch = {
  readonly off?: RuleName;
  readonly params?: Partial<ChainParams>;
  /** The rule is the shell's: votes are signed without a watermark. */
  readonly withoutWatermark?: boolean;
  /**
   * Nothing compares it with a second opinion on the same rule: what the rule is for must go wrong. Checks play by the
   * mutated numbers, and heads, checkpoints and pay are not compared with the naive ones.
   */
  readonly isJudgedByEffects?: boolean;
};

/**
 * The nodes of a run share the objects they send each other, which nobody changes: each is hashed once, where real
 * nodes hash their own copies.
 */
function rememberRoots(type: { hashTreeRoot(value: never): Uint8Array }): void {
  const roots = new WeakMap<object, Uint8Array>();
  const compute = type.hashTreeRoot.bind(type) as (value: object) => Uint8Array;
  type.hashTreeRoot = (value: object) => {
    const root = roots.get(value) ?? compute(value);
    roots.set(value, root);
    return root;
  };
}

rememberRoots(AttestationData);

const known = new Map<string, ChainParams>();

function remembered(key: unknown, create: () => ChainParams): ChainParams {
  const text = JSON.stringify(key, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  const params = known.get(text) ?? create();
  known.set(text, params);
  return params;
}

/** The parameters all nodes should play by. Equal changes give the same object, since containers are made by it. */
export function simulatorParams(changes: Partial<ChainParams>): ChainParams {
  return remembered(changes, () => createParams("devnet", { presetName: "simulator", ...SMALL, ...changes }));
}

/** The parameters they play by with one rule off: never checked, so there is no other way to them than this. */
export function mutatedParams(changes: Partial<ChainParams>, mutation: Switch): ChainParams {
  return remembered([changes, mutation], () => {
    const rules = mutation.off === undefined ? ALL_RULES : { ...ALL_RULES, [mutation.off]: false };
    const made = { ...simulatorParams(changes), ...mutation.params, rules };
    const params = Object.freeze(made as unknown as ChainParams);
    rememberRoots(containersOf(params).BeaconBlockBody);
    return params;
  });
}
