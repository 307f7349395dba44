/** What the state trie stores for an address, and who can be asked for it. */
import type { Address, Hash } from "../../primitives/bytes.ts";

export type Account = {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Hash;
  readonly codeHash: Hash;
};

/** The world state after one block, read-only. Reads are synchronous: contracts wait for them. */
export interface StateReader {
  /** Undefined when no account exists at `address`. */
  account(address: Address): Account | undefined;
  /** The 32-byte word at `slot` as an unsigned integer; 0 where nothing was written. */
  storage(address: Address, slot: Hash): bigint;
  /** Undefined when no code with this keccak256 was ever stored. */
  code(codeHash: Hash): Uint8Array | undefined;
}

/**
 * The nodes of the account trie and of the storage tries after one block, keyed by path.
 *
 * `owner` is undefined for the account trie and keccak256(address) for that account's storage trie;
 * `path` is one character per nibble from the root ("" is the root node). Returns the node's RLP.
 */
export interface TrieNodeReader {
  trieNode(owner: Hash | undefined, path: string): Uint8Array | undefined;
}

export interface StateStore extends StateReader, TrieNodeReader {}

/** Everything one block changed. `null` means removed. Applying diffs in order gives the later state. */
export type StateDiff = {
  readonly stateRoot: Hash;
  readonly accounts: ReadonlyMap<Address, Account | null>;
  readonly storage: ReadonlyMap<Address, ReadonlyMap<Hash, bigint>>;
  readonly codes: ReadonlyMap<Hash, Uint8Array>;
  /** By owner ("" for the account trie), then by path. */
  readonly trieNodes: ReadonlyMap<Hash | "", ReadonlyMap<string, Uint8Array | null>>;
};
