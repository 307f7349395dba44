/** The access list with which a call costs what it says. See specs/vm/execute-block.md#calls. */
import { createAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { type CallRequest, type CallResult, type CallSite, executeCall } from "./call.ts";
import { overrideState } from "./state/override.ts";
import type { AccessListEntry } from "./transaction.ts";

export type CallWithAccessList = {
  readonly accessList: readonly AccessListEntry[];
  /** Of the call run with the list. */
  readonly result: CallResult;
};

/**
 * Runs the call with what it touched, until it touches no more: what is warm may change its course. Addresses
 * that are warm anyway are left out unless slots of theirs are in the list. Cost: mostly two runs.
 * @throws InvalidTransactionError as executeCall
 */
export function createAccessList(site: CallSite, request: CallRequest, gasLimit: number): CallWithAccessList {
  const alwaysWarm = alwaysWarmAddresses(site, request);
  let accessList = request.accessList;
  for (;;) {
    const result = executeCall(site, { ...request, accessList }, gasLimit);
    const touched = result.accessList.filter(
      ({ address, storageKeys }) => storageKeys.length > 0 || !alwaysWarm.has(address),
    );
    // Each run touches at least the list it is given, so the list only grows, within the gas of the call.
    if (sizeOf(touched) === sizeOf(accessList)) return { accessList: touched, result };
    accessList = touched;
  }
}

function alwaysWarmAddresses(site: CallSite, { from, to }: CallRequest): ReadonlySet<Address> {
  const nonce = overrideState(site.state, site.overrides).account(from)?.nonce ?? 0n;
  const { feeRecipient } = site.header;
  return new Set([from, to ?? createAddress(from, nonce), feeRecipient, ...site.machine.precompiles.keys()]);
}

function sizeOf(accessList: readonly AccessListEntry[]): number {
  return accessList.reduce((sum, { storageKeys }) => sum + 1 + storageKeys.length, 0);
}
