/** Keys and values of the world state on disk: compact, and in the order of their parts. See specs/node/storage.md#keys. */
import {
  type Address,
  bigIntToMinimalBytes,
  bytesToBigInt,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp } from "../../primitives/rlp.ts";
import type { Account } from "../../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { EMPTY_TRIE_ROOT } from "../../vm/state/trie.ts";

/** Block numbers and slots in keys: six bytes big-endian, so that keys sort by number. */
export const NUMBER_BYTES = 6;

const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;

export function numberKey(number: number): Uint8Array {
  const key = Buffer.allocUnsafe(NUMBER_BYTES);
  key.writeUIntBE(number, 0, NUMBER_BYTES);
  return key;
}

export function numberFromKey(key: Uint8Array, offset = 0): number {
  return Buffer.from(key.buffer, key.byteOffset, key.length).readUIntBE(offset, NUMBER_BYTES);
}

export function hashKey(hash: Hash): Uint8Array {
  const key = Buffer.allocUnsafe(HASH_BYTES);
  writeHex(key, hash, 0, HASH_BYTES);
  return key;
}

export function accountKey(address: Address): Uint8Array {
  const key = Buffer.allocUnsafe(ADDRESS_BYTES);
  writeHex(key, address, 0, ADDRESS_BYTES);
  return key;
}

export function slotKey(address: Address, slot: Hash): Uint8Array {
  const key = Buffer.allocUnsafe(ADDRESS_BYTES + HASH_BYTES);
  writeHex(key, address, 0, ADDRESS_BYTES);
  writeHex(key, slot, ADDRESS_BYTES, HASH_BYTES);
  return key;
}

/**
 * owner (32 bytes, none for the account trie) ‖ depth ‖ nibbles, two a byte, the last one padded.
 *
 * The first byte tells the two kinds apart and the depth says where the nibbles end, so no key is the
 * beginning of another one and a block number can be appended.
 */
export function trieNodeKey(owner: Hash | undefined, path: string): Uint8Array {
  const ownerBytes = owner === undefined ? 0 : HASH_BYTES;
  const nibbleBytes = (path.length + 1) >> 1;
  const key = Buffer.allocUnsafe(2 + ownerBytes + nibbleBytes);
  key[0] = owner === undefined ? 0 : 1;
  if (owner !== undefined) writeHex(key, owner, 1, HASH_BYTES);
  key[1 + ownerBytes] = path.length;
  const written = key.write(path.length % 2 === 0 ? path : `${path}0`, 2 + ownerBytes, "hex");
  assert(written === nibbleBytes, "a trie path consists of nibbles");
  return key;
}

/** `key` as it stood before block `number`. */
export function atBlock(key: Uint8Array, number: number): Uint8Array {
  const dated = Buffer.allocUnsafe(key.length + NUMBER_BYTES);
  dated.set(key);
  dated.writeUIntBE(number, key.length, NUMBER_BYTES);
  return dated;
}

/** Whether `dated` is atBlock(key, …) of some block. */
export function isDatedKeyOf(dated: Uint8Array, key: Uint8Array): boolean {
  if (dated.length !== key.length + NUMBER_BYTES) return false;
  for (let i = 0; i < key.length; i++) if (dated[i] !== key[i]) return false;
  return true;
}

function writeHex(target: Buffer, hex: string, offset: number, length: number): void {
  const written = hex.length === 2 + 2 * length ? target.write(hex.slice(2), offset, "hex") : 0;
  assert(written === length, `a key part has ${length} bytes`);
}

/** As in the state trie, except that the two hashes are empty when nothing is behind them. */
export function encodeAccount({ nonce, balance, storageRoot, codeHash }: Account): Uint8Array {
  return encodeRlp([
    bigIntToMinimalBytes(nonce),
    bigIntToMinimalBytes(balance),
    storageRoot === EMPTY_TRIE_ROOT ? EMPTY_BYTES : fromHex(storageRoot),
    codeHash === EMPTY_CODE_HASH ? EMPTY_BYTES : fromHex(codeHash),
  ]);
}

export function decodeAccount(bytes: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash] = decodeRlp(bytes) as readonly Uint8Array[];
  assert(nonce !== undefined && balance !== undefined, "a stored account has four fields");
  assert(storageRoot !== undefined && codeHash !== undefined, "a stored account has four fields");
  return {
    nonce: bytesToBigInt(nonce),
    balance: bytesToBigInt(balance),
    storageRoot: storageRoot.length === 0 ? EMPTY_TRIE_ROOT : toHex(storageRoot),
    codeHash: codeHash.length === 0 ? EMPTY_CODE_HASH : toHex(codeHash),
  };
}
