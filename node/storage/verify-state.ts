/** Whether the finalized state on disk is the one its block committed to, from its parts. See specs/node/storage.md#verification. */
import { type Address, bytesToBigInt, equalBytes, type Hash, toHex } from "../../primitives/bytes.ts";
import type { Account } from "../../vm/state/account.ts";
import { encodeAccount, encodeStorageValue } from "../../vm/state/account-codec.ts";
import { EMPTY_TRIE_ROOT, noNodes, secureKey, type TrieEntry, updateTrie } from "../../vm/state/trie.ts";
import type { Database } from "./database.ts";
import { FinalizedState } from "./finalized-state.ts";
import { decodeAccount, trieNodeKey } from "./state-codec.ts";

/** What is wrong with a stored state, one sentence each; empty when nothing is. */
export type StateDamage = readonly string[];

const ADDRESS_BYTES = 20;

/**
 * Builds every trie anew from the flat accounts and slots and compares it with the stored nodes and with the state
 * root of the block whose state this is. Reads everything: seconds per million accounts.
 */
export function verifyStoredState(database: Database): StateDamage {
  const finalized = new FinalizedState(database).finalized();
  if (finalized === undefined) return ["there is no finalized state"];
  const damage: string[] = [];
  const accounts: TrieEntry[] = [];
  let nodes = 0;
  const slots = slotsByAccount(database);
  for (const { key, value } of database.table("accounts").range({})) {
    const address = toHex(key) as Address;
    const account: Account = decodeAccount(value);
    accounts.push({ key: secureKey(address), value: encodeAccount(account) });
    const owner: Hash = `0x${secureKey(address)}`;
    const storage = checkTrie(database, owner, slots.get(address) ?? [], damage);
    nodes += storage.nodes;
    slots.delete(address);
    if (storage.root !== account.storageRoot) {
      damage.push(
        `the slots of ${address} have the root ${storage.root}, its account says ${account.storageRoot}`,
      );
    }
  }
  for (const address of slots.keys()) damage.push(`there are slots of ${address}, which has no account`);
  const state = checkTrie(database, undefined, accounts, damage);
  nodes += state.nodes;
  if (state.root !== finalized.stateRoot) {
    damage.push(
      `the accounts have the root ${state.root}, block ${finalized.number} says ${finalized.stateRoot}`,
    );
  }
  const stored = [...database.table("trie").range({})].length;
  if (stored !== nodes) damage.push(`${stored} trie nodes are stored, the state has ${nodes}`);
  return damage;
}

function slotsByAccount(database: Database): Map<Address, TrieEntry[]> {
  const slots = new Map<Address, TrieEntry[]>();
  for (const { key, value } of database.table("storage").range({})) {
    const address = toHex(key.subarray(0, ADDRESS_BYTES)) as Address;
    const entry = {
      key: secureKey(toHex(key.subarray(ADDRESS_BYTES))),
      value: encodeStorageValue(bytesToBigInt(value)),
    };
    const known = slots.get(address);
    if (known === undefined) slots.set(address, [entry]);
    else known.push(entry);
  }
  return slots;
}

/** Root and number of stored nodes of one trie; `damage` gets the nodes that differ. */
function checkTrie(
  database: Database,
  owner: Hash | undefined,
  entries: readonly TrieEntry[],
  damage: string[],
): { readonly root: Hash; readonly nodes: number } {
  if (entries.length === 0) return { root: EMPTY_TRIE_ROOT, nodes: 0 };
  const table = database.table("trie");
  const { root, nodes } = updateTrie(noNodes, entries);
  for (const [path, node] of nodes) {
    const stored = table.get(trieNodeKey(owner, path));
    if (node === null || (stored !== undefined && equalBytes(stored, node))) continue;
    damage.push(
      `the trie node at ${owner ?? "the state"}/${path} is ${stored === undefined ? "missing" : "another"}`,
    );
  }
  return { root, nodes: nodes.size };
}
