/** How fast state roots are: accounts rooted per second, new ones and changed ones. */
import type { Address } from "../primitives/bytes.ts";
import { MemoryState } from "../specs/support/memory-state.ts";
import { type GenesisAllocation, genesisState } from "../vm/genesis.ts";
import { createJournal } from "../vm/state/journal.ts";
import { computeStateDiff } from "../vm/state/state-diff.ts";
import { medianSeconds } from "./median.ts";

export function allocationOfSize(size: number): GenesisAllocation {
  return new Map(
    Array.from({ length: size }, (_, i) => [
      `0x${(i * 7919 + 1).toString(16).padStart(40, "0")}` as Address,
      { balance: BigInt(i + 1) * 10n ** 15n },
    ]),
  );
}

/** Accounts per second of a state that begins empty. */
export function rootNewAccounts(size = 100_000): number {
  const allocation = allocationOfSize(size);
  return size / medianSeconds(() => genesisState(allocation));
}

/** Accounts per second changed in one block of a state that has ten times as many. */
export function rootChangedAccounts(changed = 10_000): number {
  const allocation = allocationOfSize(10 * changed);
  const state = MemoryState.of(allocation);
  const addresses = [...allocation.keys()].slice(0, changed);
  return (
    changed /
    medianSeconds(() => {
      const journal = createJournal(state);
      for (const address of addresses) journal.addBalance(address, 1n);
      computeStateDiff(journal.changes(), state);
    })
  );
}
