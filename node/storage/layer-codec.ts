/** What one block changed, as bytes. See specs/node/storage.md#spilled-layers. */
import {
  type Address,
  bigIntToMinimalBytes,
  bytesToBigInt,
  bytesToUtf8,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp, type RlpItem } from "../../primitives/rlp.ts";
import type { StateDiff } from "../../vm/state/account.ts";
import type { Layer } from "../../vm/state/layers.ts";
import { decodeAccount, encodeAccount } from "./state-codec.ts";

/** RLP [parent hash, state root, accounts, storage, codes, trie nodes], maps as lists of pairs; removed is empty. */
export function encodeLayer({ parentHash, diff }: Layer): Uint8Array {
  return encodeRlp([
    fromHex(parentHash),
    fromHex(diff.stateRoot),
    pairs(diff.accounts, fromHex, (account) => (account === null ? EMPTY_BYTES : encodeAccount(account))),
    pairs(diff.storage, fromHex, (slots) => pairs(slots, fromHex, bigIntToMinimalBytes)),
    pairs(diff.codes, fromHex, (code) => code),
    pairs(diff.trieNodes, ownerBytes, (nodes) => pairs(nodes, utf8ToBytes, (node) => node ?? EMPTY_BYTES)),
  ]);
}

export function decodeLayer(blockHash: Hash, bytes: Uint8Array): Layer {
  const [parentHash, stateRoot, accounts, storage, codes, trieNodes] = asList(decodeRlp(bytes));
  const diff: StateDiff = {
    stateRoot: toHex(asBytes(stateRoot)),
    accounts: readPairs<Address, ReturnType<typeof decodeAccount> | null>(accounts, toHex, (item) => {
      const account = asBytes(item);
      return account.length === 0 ? null : decodeAccount(account);
    }),
    storage: readPairs(storage, toHex, (slots) =>
      readPairs(slots, toHex, (word) => bytesToBigInt(asBytes(word))),
    ),
    codes: readPairs(codes, toHex, asBytes),
    trieNodes: readPairs<Hash | "", ReadonlyMap<string, Uint8Array | null>>(trieNodes, readOwner, (nodes) =>
      readPairs(nodes, bytesToUtf8, (item) => {
        const node = asBytes(item);
        return node.length === 0 ? null : node;
      }),
    ),
  };
  return { blockHash, parentHash: toHex(asBytes(parentHash)), diff };
}

function ownerBytes(owner: Hash | ""): Uint8Array {
  return owner === "" ? EMPTY_BYTES : fromHex(owner);
}

function readOwner(bytes: Uint8Array): Hash | "" {
  return bytes.length === 0 ? "" : toHex(bytes);
}

function pairs<K, V>(
  map: ReadonlyMap<K, V>,
  encodeKey: (key: K) => Uint8Array,
  encodeValue: (value: V) => RlpItem,
): RlpItem {
  return [...map].map(([key, value]) => [encodeKey(key), encodeValue(value)]);
}

function readPairs<K, V>(
  item: RlpItem | undefined,
  readKey: (bytes: Uint8Array) => K,
  readValue: (item: RlpItem | undefined) => V,
): ReadonlyMap<K, V> {
  return new Map(
    asList(item).map((pair) => {
      const [key, value] = asList(pair);
      return [readKey(asBytes(key)), readValue(value)];
    }),
  );
}

function asBytes(item: RlpItem | undefined): Uint8Array {
  assert(item instanceof Uint8Array, "a stored field is where it was written");
  return item;
}

function asList(item: RlpItem | undefined): readonly RlpItem[] {
  assert(item !== undefined && !(item instanceof Uint8Array), "a stored list is where it was written");
  return item;
}
