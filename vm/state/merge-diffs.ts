/** Several blocks' changes as one. See specs/vm/state.md#layers. */

import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Account, StateDiff } from "./account.ts";

/** The diffs, oldest first and at least one, as a single diff: what is newer wins. */
export function mergeDiffs(diffs: readonly StateDiff[]): StateDiff {
  const last = diffs.at(-1);
  assert(last !== undefined, "there is a diff to merge");
  if (diffs.length === 1) return last;
  const accounts = new Map<Address, Account | null>();
  const codes = new Map<Hash, Uint8Array>();
  const storage = new Map<Address, Map<Hash, bigint>>();
  const trieNodes = new Map<Hash | "", Map<string, Uint8Array | null>>();
  for (const diff of diffs) {
    assign(accounts, diff.accounts);
    assign(codes, diff.codes);
    assignNested(storage, diff.storage);
    assignNested(trieNodes, diff.trieNodes);
  }
  return { stateRoot: last.stateRoot, accounts, codes, storage, trieNodes };
}

function assign<K, V>(target: Map<K, V>, source: ReadonlyMap<K, V>): void {
  for (const [key, value] of source) target.set(key, value);
}

function assignNested<K, L, V>(target: Map<K, Map<L, V>>, source: ReadonlyMap<K, ReadonlyMap<L, V>>): void {
  for (const [key, values] of source) {
    const known = target.get(key);
    if (known === undefined) target.set(key, new Map(values));
    else assign(known, values);
  }
}
