/** Proofs of accounts and storage, as `eth_getProof` gives them (EIP-1186). See specs/vm/trie.md#proofs. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Account, StateStore } from "./account.ts";
import { decodeAccount, decodeStorageValue, NO_ACCOUNT } from "./account-codec.ts";
import { secureKey } from "./trie.ts";
import { proveKey, verifyProof } from "./trie-proof.ts";

export type StorageProof = {
  readonly slot: Hash;
  readonly value: bigint;
  readonly proof: readonly Uint8Array[];
};

export type AccountProof = {
  /** The empty account where there is none. */
  readonly account: Account;
  readonly accountProof: readonly Uint8Array[];
  readonly storageProof: readonly StorageProof[];
};

/** Proves an account and some of its slots against the state root; what is absent is proved absent. */
export function proveAccount(state: StateStore, address: Address, slots: readonly Hash[]): AccountProof {
  const key = secureKey(address);
  return {
    account: state.account(address) ?? NO_ACCOUNT,
    accountProof: proveKey((path) => state.trieNode(undefined, path), key),
    storageProof: slots.map((slot) => ({
      slot,
      value: state.storage(address, slot),
      proof: proveKey((path) => state.trieNode(`0x${key}`, path), secureKey(slot)),
    })),
  };
}

/** The account at `address` under `stateRoot`, undefined when the proof shows there is none. @throws ProofError */
export function verifyAccountProof(
  stateRoot: Hash,
  address: Address,
  proof: readonly Uint8Array[],
): Account | undefined {
  const value = verifyProof(stateRoot, secureKey(address), proof);
  return value === undefined ? undefined : decodeAccount(value);
}

/** The word at `slot` under an account's storage root. @throws ProofError */
export function verifyStorageProof(storageRoot: Hash, slot: Hash, proof: readonly Uint8Array[]): bigint {
  const value = verifyProof(storageRoot, secureKey(slot), proof);
  return value === undefined ? 0n : decodeStorageValue(value);
}
