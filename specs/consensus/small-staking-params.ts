/** A chain on which every staking rule is reached within a few dozen slots. */
import type { ChainParams } from "../../consensus/params.ts";
import { createParams } from "../../consensus/presets.ts";
import { COIN } from "./hand-made-chain.ts";

/** Short periods, small rings, a little churn and a leak that bites: every rule is reached soon. */
export function smallStakingParams(slotsPerEpoch: number): ChainParams {
  return createParams("devnet", {
    forks: [{ version: "0x6a000009", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
    ...{ periodSlots: 8, slotsPerHistoricalRoot: 24, randaoMixesLength: 8, slashingsLength: 8 },
    ...{ minWithdrawabilityDelaySlots: 30, timelyTargetSlots: 6, leakDelaySlots: 12 },
    ...{ inactivityPenaltyQuotient: 8n, maxDepositsPerPeriod: 3 },
    ...{ minChurnGwei: 40n * COIN, churnQuotient: 3n, maxActivationChurnGwei: 50n * COIN },
  });
}
