/** A world state of plain maps, and random changes to a small one: what storage is compared with. */
import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Address, bigIntToBytes, type Hash, toHash, toHex } from "../../primitives/bytes.ts";
import type { Account, StateDiff, StateStore } from "../../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { EMPTY_TRIE_ROOT } from "../../vm/state/trie.ts";

export function hashOf(number: number): Hash {
  return toHash(BigInt(number));
}

export const emptyDiff: StateDiff = {
  stateRoot: hashOf(0),
  accounts: new Map(),
  storage: new Map(),
  codes: new Map(),
  trieNodes: new Map(),
};

export function diffOf(parts: Partial<StateDiff>): StateDiff {
  return { ...emptyDiff, ...parts };
}

// Few keys, so that random changes meet each other; paths of both parities, one the beginning of another.
const ADDRESSES: readonly Address[] = [1n, 2n, 3n].map((n) => toHex(bigIntToBytes(n, 20)));
const SLOTS: readonly Hash[] = [0n, 1n, 2n ** 255n].map(toHash);
const OWNERS: readonly (Hash | "")[] = ["", hashOf(7)];
const PATHS = ["", "0", "00", "1", "10", "101", "f".repeat(64)];

const word = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const hash: fc.Arbitrary<Hash> = word.map(toHash);

/** Accounts with and without code and storage. */
export const accountOf: fc.Arbitrary<Account> = fc.record(
  {
    nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    balance: word,
    storageRoot: fc.oneof(hash, fc.constant(EMPTY_TRIE_ROOT)),
    codeHash: fc.oneof(hash, fc.constant(EMPTY_CODE_HASH)),
  },
  { noNullPrototype: true },
);

const node = fc.uint8Array({ minLength: 1, maxLength: 40 });

function mapOf<K, V>(keys: readonly K[], value: fc.Arbitrary<V>): fc.Arbitrary<ReadonlyMap<K, V>> {
  const entry = fc.tuple(fc.constantFrom(...keys), value);
  return fc.array(entry, { maxLength: keys.length }).map((entries) => new Map(entries));
}

export const someDiff: fc.Arbitrary<StateDiff> = fc.record(
  {
    stateRoot: hash,
    accounts: mapOf(ADDRESSES, fc.option(accountOf)),
    storage: mapOf(ADDRESSES, mapOf(SLOTS, fc.oneof(fc.constant(0n), word))),
    // A hash names one code for ever, so its bytes follow from it.
    codes: fc
      .array(hash, { maxLength: 2 })
      .map((hashes) => new Map(hashes.map((codeHash) => [codeHash, new TextEncoder().encode(codeHash)]))),
    trieNodes: mapOf(OWNERS, mapOf(PATHS, fc.option(node))),
  },
  { noNullPrototype: true },
);

export class ModelState {
  readonly #accounts = new Map<Address, Account | null>();
  readonly #storage = new Map<string, bigint>();
  readonly #codes = new Map<Hash, Uint8Array>();
  readonly #trieNodes = new Map<string, Uint8Array | null>();

  apply(diff: StateDiff): void {
    for (const [address, account] of diff.accounts) this.#accounts.set(address, account);
    for (const [address, slots] of diff.storage) {
      for (const [slot, value] of slots) this.#storage.set(`${address} ${slot}`, value);
    }
    for (const [codeHash, code] of diff.codes) this.#codes.set(codeHash, code);
    for (const [owner, nodes] of diff.trieNodes) {
      for (const [path, bytes] of nodes) this.#trieNodes.set(`${owner} ${path}`, bytes);
    }
  }

  copy(): ModelState {
    const copy = new ModelState();
    for (const [address, account] of this.#accounts) copy.#accounts.set(address, account);
    for (const [key, value] of this.#storage) copy.#storage.set(key, value);
    for (const [codeHash, code] of this.#codes) copy.#codes.set(codeHash, code);
    for (const [key, bytes] of this.#trieNodes) copy.#trieNodes.set(key, bytes);
    return copy;
  }

  /** Every key that any change can touch reads the same in `state`. */
  mustEqual(state: StateStore): void {
    for (const address of ADDRESSES) {
      deepEqual(state.account(address), this.#accounts.get(address) ?? undefined);
      for (const slot of SLOTS) {
        deepEqual(state.storage(address, slot), this.#storage.get(`${address} ${slot}`) ?? 0n);
      }
    }
    for (const [codeHash, code] of this.#codes) deepEqual(state.code(codeHash), code);
    for (const owner of OWNERS) {
      for (const path of PATHS) {
        const expected = this.#trieNodes.get(`${owner} ${path}`) ?? undefined;
        deepEqual(state.trieNode(owner === "" ? undefined : owner, path), expected);
      }
    }
  }
}
