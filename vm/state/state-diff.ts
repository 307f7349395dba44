/** From what a block changed to its state root and trie nodes. See specs/vm/state.md#state-root. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Account, StateDiff, TrieNodeReader } from "./account.ts";
import { encodeAccount, encodeStorageValue, NO_ACCOUNT } from "./account-codec.ts";
import type { AccountChange, StateChanges } from "./journal.ts";
import { EMPTY_TRIE_ROOT, secureKey, type TrieEntry, updateTrie } from "./trie.ts";

type DiffDraft = {
  readonly accounts: Map<Address, Account | null>;
  readonly storage: Map<Address, ReadonlyMap<Hash, bigint>>;
  readonly trieNodes: Map<Hash | "", ReadonlyMap<string, Uint8Array | null>>;
};

/**
 * Applies the changes to the tries that `nodes` reads.
 *
 * Cost: one pass over each changed trie; hashing dominates. Storage tries come first, since an account's
 * leaf holds its storage root.
 */
export function computeStateDiff(changes: StateChanges, nodes: TrieNodeReader): StateDiff {
  const draft: DiffDraft = { accounts: new Map(), storage: new Map(), trieNodes: new Map() };
  const entries: TrieEntry[] = [];
  for (const [address, change] of changes.accounts) {
    const key = secureKey(address);
    const account = applyChange(draft, address, `0x${key}`, change, nodes);
    draft.accounts.set(address, account);
    entries.push({ key, value: account === null ? undefined : encodeAccount(account) });
  }
  const { root, nodes: accountNodes } = updateTrie((path) => nodes.trieNode(undefined, path), entries);
  if (accountNodes.size > 0) draft.trieNodes.set("", accountNodes);
  return { stateRoot: root, codes: changes.codes, ...draft };
}

/** The account after its change; its storage trie's nodes are added to the draft. */
function applyChange(
  draft: DiffDraft,
  address: Address,
  owner: Hash,
  change: AccountChange,
  nodes: TrieNodeReader,
): Account | null {
  const storageRoot = change.before?.storageRoot ?? NO_ACCOUNT.storageRoot;
  if (change.after === null) {
    // Storage belongs to contracts, and a contract's nonce is at least 1 (EIP-161): it is never empty.
    assert(storageRoot === EMPTY_TRIE_ROOT, `the removed account ${address} has no storage`);
    return null;
  }
  if (change.slots.size === 0) return { ...change.after, storageRoot };
  const update = updateTrie((path) => nodes.trieNode(owner, path), [...change.slots].map(storageEntry));
  draft.storage.set(address, change.slots);
  if (update.nodes.size > 0) draft.trieNodes.set(owner, update.nodes);
  return { ...change.after, storageRoot: update.root };
}

function storageEntry([slot, value]: readonly [Hash, bigint]): TrieEntry {
  return {
    key: secureKey(slot),
    value: value === 0n ? undefined : encodeStorageValue(value),
  };
}
