import { deepEqual, equal, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type ChainParams, checked } from "../../consensus/params.ts";
import { createParams, DEVNET_PARAMS, LARGE_PARAMS } from "../../consensus/presets.ts";
import { ALL_RULES, type RuleName, type Rules } from "../../consensus/rules.ts";
import {
  computeCheckpointSlot,
  computeEpochAtSlot,
  computePeriodAtEpoch,
  computeStartSlotAtEpoch,
} from "../../consensus/time.ts";

describe("consensus: parameters", () => {
  const contradictions: readonly [string, Partial<ChainParams>][] = [
    ["a slot lasts whole seconds", { slotSeconds: 0.5 }],
    ["votes fall due before aggregates", { attestationDuePercent: 80 }],
    ["aggregates fall due inside their slot", { aggregateDuePercent: 100 }],
    ["a period is a whole number of epochs", { periodSlots: 24, forks: LARGE_PARAMS.forks }],
    ["the votes of a period are counted in a byte", { periodSlots: 256 }],
    ["the age limit of votes is a whole number of periods", { slotsPerHistoricalRoot: 8191 }],
    ["the seed of the oldest vote is kept", { randaoMixesLength: 258 }],
    ["stake cannot leave while votes it signed still count", { minWithdrawabilityDelaySlots: 8191 }],
    ["stake cannot leave before the penalty for slashings around it", { slashingsLength: 254 }],
    ["a slashing has a half-way period", { slashingsLength: 257 }],
    ["parts asked for leave room for the sweep", { maxPartialWithdrawals: 16 }],
    ["a sweep can fill a payload", { withdrawalSweepLimit: 15 }],
    ["a weight fits in 16 bits", { maxEffectiveBalanceGwei: 65_536_000_000_000n }],
    ["a validator fits into the churn", { minChurnGwei: 31_000_000_000n }],
    ["a slashing costs more than its report earns", { whistleblowerRewardQuotient: 64n }],
    ["the reward weights add up", { headWeight: 17n }],
    ["there is a fork to begin with", { forks: [] }],
    ["a fork version has four bytes", { forks: [{ ...DEVNET_PARAMS.forks[0]!, version: "0x00" }] }],
  ];
  for (const [statement, replaced] of contradictions) {
    it(`are refused unless ${statement}`, () => {
      throws(() => createParams("devnet", replaced), {
        name: "InvariantError",
        message: `broken invariant: ${statement}`,
      });
    });
  }

  it("refuse forks whose epochs would jump", () => {
    const forks = [DEVNET_PARAMS.forks[0]!, { ...LARGE_PARAMS.forks[0]!, firstSlot: 64, firstEpoch: 63 }];
    throws(() => checked({ ...DEVNET_PARAMS, forks }), /epochs go on counting over a fork/);
  });

  it("cannot leave out a rule, by type and when made", () => {
    for (const name of Object.keys(ALL_RULES) as RuleName[]) {
      // @ts-expect-error A rule is `true`; nothing else fits.
      const rules: Rules = { ...ALL_RULES, [name]: false as boolean, catchUp: false };
      throws(() => createParams("devnet", { rules }), { name: "InvariantError" });
    }
    const { rules: _, ...withoutRules } = DEVNET_PARAMS;
    throws(() => checked({ ...withoutRules, rules: {} as Rules }), /the rule linkWithoutGaps is in force/);
  });

  it("cannot be changed", () => {
    throws(() => Object.assign(createParams("testnet"), { slotSeconds: 2 }), TypeError);
  });
});

describe("consensus: time", () => {
  const params = createParams("devnet", {
    forks: [
      { version: "0x00000001", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 },
      { version: "0x00000002", firstSlot: 64, firstEpoch: 64, slotsPerEpoch: 8 },
    ],
  });

  it("counts epochs on when their length changes at a fork", () => {
    deepEqual(
      [0, 1, 63, 64, 71, 72, 96].map((slot) => computeEpochAtSlot(slot, params)),
      [0, 1, 63, 64, 64, 65, 68],
    );
  });

  it("finds an epoch's first slot, the inverse", () => {
    for (let epoch = 0; epoch < 100; epoch++) {
      equal(computeEpochAtSlot(computeStartSlotAtEpoch(epoch, params), params), epoch);
    }
  });

  it("puts the checkpoint slot before the epoch, and not before genesis", () => {
    deepEqual(
      [0, 1, 2, 64, 65, 66].map((epoch) => computeCheckpointSlot(epoch, params)),
      [0, 0, 1, 63, 71, 79],
    );
  });

  it("keeps an epoch in one period", () => {
    deepEqual(
      [0, 31, 32, 64, 67, 68].map((epoch) => computePeriodAtEpoch(epoch, params)),
      [0, 0, 1, 2, 2, 3],
    );
  });
});

describe("parameters: the page", () => {
  it("explains every field", () => {
    const page = readFileSync(new URL("../../../specs/consensus/params.md", import.meta.url), "utf8");
    const named = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    deepEqual(
      Object.keys(DEVNET_PARAMS).filter((field) => !named.has(field)),
      [],
    );
  });
});
