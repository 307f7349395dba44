/** Keys that sign for validators: EIP-2335 files, and the well-known keys of development networks. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { deriveSecretKey, signingKeyPath } from "../keys/key-derivation.ts";
import {
  decryptKeystore,
  describeKeystoreFault,
  encryptKeystore,
  KeystoreError,
  parseKeystore,
} from "../keys/keystore.ts";
import { blsPublicKey } from "../primitives/bls.ts";
import { bigIntToBytes, bytesToBigInt, toHex } from "../primitives/bytes.ts";
import { interopSecretKey } from "../primitives/interop-keys.ts";
import { createPrivateFile, readText } from "./private-file.ts";
import { readPassword } from "./prompt.ts";
import { WalletError } from "./wallet-error.ts";

export type ValidatorKey = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

/** `interop:4` is a well-known key; everything else that is no index and no public key is a file. */
export function isKeySource(text: string): boolean {
  return /^interop:\d{1,7}$/.test(text) || existsSync(text);
}

/** @throws WalletError (key) for a file that is no keystore, a wrong password, or what names no key. */
export async function readValidatorKey(
  text: string,
  passwordFile: string | undefined,
): Promise<ValidatorKey> {
  const [, index] = /^interop:(\d{1,7})$/.exec(text) ?? [];
  if (index !== undefined) return keyOf(interopSecretKey(Number(index)));
  if (!existsSync(text)) {
    throw new WalletError("key", `${text} is no validator key: give a keystore file (EIP-2335) or interop:N`);
  }
  try {
    const keystore = parseKeystore(readText(text, "the validator key", "key"));
    const password = await readPassword(passwordFile, `password of ${text}: `);
    return keyOf(decryptKeystore(keystore, password));
  } catch (error) {
    if (!(error instanceof KeystoreError)) throw error;
    throw new WalletError("key", `${text}: ${describeKeystoreFault(error.detail)}`, { cause: error });
  }
}

/**
 * Makes a key and writes it to a file of its own, mode 0600.
 * @param origin the seed and the index of the key in it; without one it is made at random, and nothing leads back to it.
 */
export function createValidatorKey(
  folder: string,
  password: string,
  origin?: { readonly seed: Uint8Array; readonly index: number },
): ValidatorKey & { readonly path: string } {
  const derivationPath = origin === undefined ? "" : signingKeyPath(origin.index);
  const key = keyOf(origin === undefined ? freshSecretKey() : deriveSecretKey(origin.seed, derivationPath));
  const path = join(folder, `${toHex(key.publicKey)}.json`);
  createPrivateFile(path, `${JSON.stringify(encryptKeystore(key.secretKey, password, derivationPath))}\n`);
  return { ...key, path };
}

function keyOf(secretKey: Uint8Array): ValidatorKey {
  return { secretKey, publicKey: blsPublicKey(secretKey) };
}

/** Uniform to within 2^-128: 48 random bytes modulo the group order, as in RFC 9380 (hash_to_field). */
function freshSecretKey(): Uint8Array {
  const { ORDER } = bls12_381.fields.Fr;
  return bigIntToBytes((bytesToBigInt(randomBytes(48)) % (ORDER - 1n)) + 1n, 32);
}
