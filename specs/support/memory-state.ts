/** A world state in maps, for specs and benchmarks: what the database keeps, without the disk. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { type GenesisAllocation, genesisState } from "../../vm/genesis.ts";
import type { Account, StateDiff, StateStore } from "../../vm/state/account.ts";
import { EMPTY_TRIE_ROOT } from "../../vm/state/trie.ts";

export class MemoryState implements StateStore {
  stateRoot: Hash = EMPTY_TRIE_ROOT;
  readonly accounts = new Map<Address, Account>();
  readonly slots = new Map<Address, Map<Hash, bigint>>();
  readonly codes = new Map<Hash, Uint8Array>();
  readonly nodes = new Map<Hash | "", Map<string, Uint8Array>>();

  static of(allocation: GenesisAllocation): MemoryState {
    const state = new MemoryState();
    state.apply(genesisState(allocation));
    return state;
  }

  apply(diff: StateDiff): void {
    this.stateRoot = diff.stateRoot;
    for (const [address, account] of diff.accounts) put(this.accounts, address, account);
    for (const [address, slots] of diff.storage) {
      const values = new Map([...slots].map(([slot, value]) => [slot, value === 0n ? null : value]));
      putAll(this.slots, address, values);
    }
    for (const [hash, code] of diff.codes) this.codes.set(hash, code);
    for (const [owner, nodes] of diff.trieNodes) putAll(this.nodes, owner, nodes);
  }

  account(address: Address): Account | undefined {
    return this.accounts.get(address);
  }
  storage(address: Address, slot: Hash): bigint {
    return this.slots.get(address)?.get(slot) ?? 0n;
  }
  code(codeHash: Hash): Uint8Array | undefined {
    return this.codes.get(codeHash);
  }
  trieNode(owner: Hash | undefined, path: string): Uint8Array | undefined {
    return this.nodes.get(owner ?? "")?.get(path);
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

/** Puts the values into the map of `key`; a map with nothing left in it is no longer there. */
function putAll<K, L, V>(maps: Map<K, Map<L, V>>, key: K, values: ReadonlyMap<L, V | null>): void {
  const map = maps.get(key) ?? new Map<L, V>();
  for (const [member, value] of values) put(map, member, value);
  if (map.size === 0) maps.delete(key);
  else maps.set(key, map);
}
