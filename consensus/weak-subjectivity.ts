/** How old a finalized checkpoint may be for a node to begin with it. See specs/consensus/weak-subjectivity.md. */
import type { ChainParams } from "./params.ts";
import { getRegistry, getTotalActiveBalance } from "./registry.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, type Slot } from "./time.ts";

/**
 * Slots after `state` for which it may be begun with. As long as stake that signed for it is slashable, and until the
 * churn may have exchanged `weakSubjectivityDecayPercent` of it twice over.
 *
 * @see consensus-specs v1.5.0, electra/weak-subjectivity.md, compute_weak_subjectivity_period
 */
export function computeWeakSubjectivitySlots(state: ConsensusState, params: ChainParams): Slot {
  const epoch = computeEpochAtSlot(state.slot, params);
  const total = getTotalActiveBalance(getRegistry(state, params), epoch, params);
  const byQuotient = total / params.churnQuotient;
  const churn = byQuotient > params.minChurnGwei ? byQuotient : params.minChurnGwei;
  const periods = (BigInt(params.weakSubjectivityDecayPercent) * total) / (200n * churn);
  return params.minWithdrawabilityDelaySlots + Number(periods) * params.periodSlots;
}
