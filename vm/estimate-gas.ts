/** The smallest gas limit a call succeeds with. See specs/vm/gas.md#estimation. */
import {
  type CallRequest,
  type CallResult,
  type CallSite,
  checkFunds,
  executeCall,
  offeredFee,
} from "./call.ts";
import { floorGas, GAS, intrinsicGas } from "./gas.ts";
import { overrideState } from "./state/override.ts";

export type GasEstimate = { readonly gas: number } | { readonly failed: CallResult };

/**
 * Searches between what the call needs at least and `gasCap`, or what the sender can pay for.
 *
 * Gas used is not enough: a caller keeps a 64th of its gas from each sub-call (EIP-150) and a refund comes
 * only at the end, so the limit that suffices is found by running. Cost: a dozen runs.
 * @throws InvalidTransactionError INSUFFICIENT_FUNDS or INTRINSIC_GAS_TOO_LOW
 */
export function estimateGas(site: CallSite, request: CallRequest, gasCap: number): GasEstimate {
  const required = Math.max(intrinsicGas(request), floorGas(request.data));
  const highest = Math.min(gasCap, affordableGas(site, request, required));
  const atHighest = executeCall(site, request, highest);
  if (atHighest.outcome !== "success") return { failed: atHighest };

  // Fails at `low`, succeeds at `high`.
  let low = Math.max(required, atHighest.gasUsed) - 1;
  let high = highest;
  const succeedsAt = (gas: number) => executeCall(site, request, gas).outcome === "success";
  const likely = Math.ceil(((atHighest.gasSpent + GAS.callStipend) * 64) / 63);
  for (const guess of [low + 1, likely]) {
    if (guess <= low || guess >= high) continue;
    if (succeedsAt(guess)) high = guess;
    else low = guess;
  }
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (succeedsAt(middle)) high = middle;
    else low = middle;
  }
  return { gas: high };
}

/** Gas the sender's balance pays for at the price it offers; no bound when it offers none. */
function affordableGas(site: CallSite, request: CallRequest, required: number): number {
  const fee = offeredFee(request);
  const balance = overrideState(site.state, site.overrides).account(request.from)?.balance ?? 0n;
  checkFunds(balance, request.value + BigInt(required) * fee);
  return fee === 0n ? Number.MAX_SAFE_INTEGER : Number((balance - request.value) / fee);
}
