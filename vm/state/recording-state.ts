/** A state that remembers what was read of it: the witness of a call is what it read. See specs/light/witness.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { StateReader } from "./account.ts";

export type StateReads = {
  /** Slots read, by account; an account of which only the account was read has none. */
  readonly slots: Map<Address, Set<Hash>>;
  readonly codeHashes: Set<Hash>;
};

/** `state`, and what has been read of it so far. What is answered is not changed. */
export function recordReads(state: StateReader): { readonly state: StateReader; readonly reads: StateReads } {
  const reads: StateReads = { slots: new Map(), codeHashes: new Set() };
  const slotsOf = (address: Address) => {
    const slots = reads.slots.get(address) ?? new Set();
    reads.slots.set(address, slots);
    return slots;
  };
  return {
    reads,
    state: {
      account(address) {
        slotsOf(address);
        return state.account(address);
      },
      storage(address, slot) {
        slotsOf(address).add(slot);
        return state.storage(address, slot);
      },
      code(codeHash) {
        reads.codeHashes.add(codeHash);
        return state.code(codeHash);
      },
    },
  };
}
