/** Runs a call and says what it read: all that somebody else needs to run it again. See specs/light/witness.md. */
import type { Address, Hash } from "../primitives/bytes.ts";
import { type CallRequest, type CallResult, type CallSite, executeCall } from "./call.ts";
import { BLOCK_HASHES_ADDRESS } from "./chain-config.ts";
import { EMPTY_CODE_HASH } from "./state/account-codec.ts";
import { recordReads } from "./state/recording-state.ts";

/** EIP-2935's HISTORY_SERVE_WINDOW: hashes the system contract keeps, by number modulo this. */
export const HISTORY_WINDOW = 8191;

export type RecordedCall = {
  readonly result: CallResult;
  readonly accounts: readonly { readonly address: Address; readonly slots: readonly Hash[] }[];
  readonly codes: readonly Uint8Array[];
};

/**
 * @param site without overrides: a witness is of a state that has a root.
 * @throws InvalidTransactionError as executeCall does.
 */
export function recordCall(site: CallSite, request: CallRequest, gasLimit: number): RecordedCall {
  const { state, reads } = recordReads(site.state);
  const ancestorHash = (number: number) => {
    // Where the same hash can be proven: in the storage of the history contract.
    state.storage(BLOCK_HASHES_ADDRESS, historySlot(number));
    return site.ancestorHash(number);
  };
  const result = executeCall({ ...site, state, ancestorHash, overrides: new Map() }, request, gasLimit);
  const codes = [...reads.codeHashes]
    .filter((codeHash) => codeHash !== EMPTY_CODE_HASH)
    .flatMap((codeHash) => site.state.code(codeHash) ?? []);
  const accounts = [...reads.slots].map(([address, slots]) => ({ address, slots: [...slots] }));
  return { result, accounts, codes };
}

/** Where the history contract keeps the hash of block `number` (contracts/system/block-hashes.ts). */
export function historySlot(number: number): Hash {
  return `0x${(number % HISTORY_WINDOW).toString(16).padStart(64, "0")}`;
}
