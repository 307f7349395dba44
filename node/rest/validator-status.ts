/** Where a validator stands, in the beacon API's words. See specs/node/rest.md#validators. */
import type { Gwei, Validator } from "../../consensus/containers.ts";
import { type Epoch, FAR_FUTURE_EPOCH } from "../../consensus/time.ts";

export const VALIDATOR_STATUSES = [
  "pending_initialized",
  "pending_queued",
  "active_ongoing",
  "active_exiting",
  "active_slashed",
  "exited_unslashed",
  "exited_slashed",
  "withdrawal_possible",
  "withdrawal_done",
] as const;
export type ValidatorStatus = (typeof VALIDATOR_STATUSES)[number];

/** @see hackmd.io/ofFJ5gOmQpu1jjHilHbdQQ, which beacon-APIs names for it */
export function validatorStatus(validator: Validator, balance: Gwei, epoch: Epoch): ValidatorStatus {
  const { activationEligibilityEpoch, activationEpoch, exitEpoch, withdrawableEpoch, slashed } = validator;
  if (activationEpoch > epoch) {
    return activationEligibilityEpoch === FAR_FUTURE_EPOCH ? "pending_initialized" : "pending_queued";
  }
  if (exitEpoch > epoch) {
    if (exitEpoch === FAR_FUTURE_EPOCH) return "active_ongoing";
    return slashed ? "active_slashed" : "active_exiting";
  }
  if (withdrawableEpoch > epoch) return slashed ? "exited_slashed" : "exited_unslashed";
  return balance > 0n ? "withdrawal_possible" : "withdrawal_done";
}

/** Whether a filter means this status: `active` stands for all that begin with it. */
export function matchesStatus(status: ValidatorStatus, filter: string): boolean {
  return status === filter || status.startsWith(`${filter}_`);
}

export function isStatusFilter(text: string): boolean {
  return VALIDATOR_STATUSES.some((status) => status === text || status.split("_", 1)[0] === text);
}
