/** A state with a journal's changes on top, for reads only. See specs/vm/state.md#overrides. */
import type { StateReader } from "./account.ts";
import { NO_ACCOUNT } from "./account-codec.ts";
import type { StateChanges } from "./journal.ts";

/** What `state` would answer after `changes`, but for storage roots, which stay as they were. */
export function changedState(state: StateReader, { accounts, codes }: StateChanges): StateReader {
  return {
    account(address) {
      const change = accounts.get(address);
      if (change === undefined) return state.account(address);
      if (change.after === null) return undefined;
      return { ...change.after, storageRoot: (change.before ?? NO_ACCOUNT).storageRoot };
    },
    storage: (address, slot) => accounts.get(address)?.slots.get(slot) ?? state.storage(address, slot),
    code: (codeHash) => codes.get(codeHash) ?? state.code(codeHash),
  };
}
