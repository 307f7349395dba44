/** Bytes of an account in the state trie, and the accounts that need no bytes. See specs/vm/state.md#accounts. */
import { bigIntToMinimalBytes, EMPTY_BYTES, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { decodeRlp, encodeRlp } from "../../primitives/rlp.ts";
import { readHash, readInteger, readList } from "../rlp-fields.ts";
import type { Account } from "./account.ts";
import { EMPTY_TRIE_ROOT } from "./trie.ts";

/** Code hash of an account without code: keccak256 of no bytes. */
export const EMPTY_CODE_HASH: Hash = toHex(keccak256(EMPTY_BYTES));

/** What is read where no account exists. */
export const NO_ACCOUNT: Account = Object.freeze({
  nonce: 0n,
  balance: 0n,
  storageRoot: EMPTY_TRIE_ROOT,
  codeHash: EMPTY_CODE_HASH,
});

/** EIP-161: such an account is as good as none, and is removed when touched. */
export function isEmptyAccount(account: Pick<Account, "nonce" | "balance" | "codeHash">): boolean {
  return account.nonce === 0n && account.balance === 0n && account.codeHash === EMPTY_CODE_HASH;
}

export function encodeAccount(account: Account): Uint8Array {
  return encodeRlp([
    bigIntToMinimalBytes(account.nonce),
    bigIntToMinimalBytes(account.balance),
    fromHex(account.storageRoot),
    fromHex(account.codeHash),
  ]);
}

/** @throws RlpError or FieldError when `bytes` are not the canonical encoding of an account. */
export function decodeAccount(bytes: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash] = readList(decodeRlp(bytes), "account", 4, 4);
  return {
    nonce: readInteger(nonce, "nonce", 8),
    balance: readInteger(balance, "balance", 32),
    storageRoot: readHash(storageRoot, "storageRoot"),
    codeHash: readHash(codeHash, "codeHash"),
  };
}

/** What a storage trie stores for a word that is not zero. */
export function encodeStorageValue(value: bigint): Uint8Array {
  return encodeRlp(bigIntToMinimalBytes(value));
}

/** @throws RlpError or FieldError */
export function decodeStorageValue(bytes: Uint8Array): bigint {
  return readInteger(decodeRlp(bytes), "storage value", 32);
}
