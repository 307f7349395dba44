/**
 * Hierarchical keys: BIP-32 private derivation. Points come from OpenSSL, which has its tables ready where a
 * JavaScript curve would first build them.
 */
import { createECDH, createHmac } from "node:crypto";
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8ToBytes } from "../primitives/bytes.ts";
import { isValidPrivateKey, SECP256K1_ORDER } from "../primitives/secp256k1.ts";
import { WalletError } from "./wallet-error.ts";

export type ExtendedKey = { readonly privateKey: Uint8Array; readonly chainCode: Uint8Array };

/** Indices from here on are hardened: written with an apostrophe, and underivable from public keys. */
export const HARDENED_OFFSET = 2 ** 31;

/** The root of a seed (BIP-32, "Master key generation"). @throws WalletError (key) for one seed in 2^127. */
export function masterKey(seed: Uint8Array): ExtendedKey {
  return split(hmacSha512(utf8ToBytes("Bitcoin seed"), seed), 0n);
}

/** The descendant at a path like `m/44'/60'/0'/0`. @throws WalletError (usage) when it is no path. */
export function deriveKey(root: ExtendedKey, path: string): ExtendedKey {
  if (!/^m(\/\d{1,10}['hH]?)*$/.test(path)) {
    throw new WalletError("usage", `"${path}" is no derivation path: write it as m/44'/60'/0'/0`);
  }
  return path
    .split("/")
    .slice(1)
    .reduce((key, step) => deriveChild(key, indexOf(step)), root);
}

function indexOf(step: string): number {
  const isHardened = /['hH]$/.test(step);
  const index = Number(step.replace(/['hH]$/, ""));
  if (index < HARDENED_OFFSET) return isHardened ? index + HARDENED_OFFSET : index;
  throw new WalletError("usage", `a derivation index is below ${HARDENED_OFFSET}, not ${index}`);
}

/** BIP-32, "Private parent key → private child key". @throws WalletError (key) for one index in 2^127. */
export function deriveChild({ privateKey, chainCode }: ExtendedKey, index: number): ExtendedKey {
  const parent =
    index >= HARDENED_OFFSET ? concatBytes(Uint8Array.of(0), privateKey) : publicKeyOf(privateKey);
  const digest = hmacSha512(chainCode, concatBytes(parent, bigIntToBytes(BigInt(index), 4)));
  return split(digest, bytesToBigInt(privateKey));
}

/** 33 compressed bytes. */
function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const curve = createECDH("secp256k1");
  curve.setPrivateKey(privateKey);
  return new Uint8Array(curve.getPublicKey(null, "compressed"));
}

function split(digest: Uint8Array, parent: bigint): ExtendedKey {
  const left = bytesToBigInt(digest.subarray(0, 32));
  const privateKey = bigIntToBytes((left + parent) % SECP256K1_ORDER, 32);
  if (left < SECP256K1_ORDER && isValidPrivateKey(privateKey)) {
    return { privateKey, chainCode: digest.slice(32) };
  }
  throw new WalletError("key", "this place of the tree has no key; take the next index");
}

function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha512", key).update(data).digest());
}
