/** Validator keys from a seed: the tree of EIP-2333 and the paths of EIP-2334. See specs/wallet/staking.md#keys-from-words. */
import { hkdfSync } from "node:crypto";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8ToBytes } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { sha256 } from "../primitives/hash.ts";

export class KeyDerivationError extends CodedError<
  | { readonly code: "SEED_TOO_SHORT"; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly code: "PATH_INVALID"; readonly path: string }
> {}

const { ORDER } = bls12_381.fields.Fr;
/** EIP-2333: a seed has at least 256 bits. */
const MIN_SEED_BYTES = 32;
/** ceil(3 · ceil(log2 r) / 16): bytes of which a key is the remainder, so that no key is more likely than another. */
const KEY_MATERIAL_BYTES = 48;
const LAMPORT_CHUNKS = 255;
const CHUNK_BYTES = 32;
const SALT = utf8ToBytes("BLS-SIG-KEYGEN-SALT-");
const NO_BYTES = new Uint8Array(0);

/** EIP-2334: what signs for validator `index` of a seed. */
export function signingKeyPath(index: number): string {
  return `m/12381/3600/${index}/0/0`;
}

/**
 * The secret key, 32 bytes, at a path like `m/12381/3600/0/0/0`.
 * @throws KeyDerivationError for a seed below 32 bytes, or what is no such path; there are no hardened steps.
 */
export function deriveSecretKey(seed: Uint8Array, path: string): Uint8Array {
  const steps = path.split("/").slice(1).map(Number);
  if (!/^m(\/\d{1,10})*$/.test(path) || steps.some((index) => index >= 2 ** 32)) {
    throw new KeyDerivationError({ code: "PATH_INVALID", path });
  }
  return steps.reduce(deriveChildSecretKey, deriveMasterSecretKey(seed));
}

/** @see EIP-2333, derive_master_SK @throws KeyDerivationError SEED_TOO_SHORT */
export function deriveMasterSecretKey(seed: Uint8Array): Uint8Array {
  if (seed.length < MIN_SEED_BYTES) {
    throw new KeyDerivationError({
      code: "SEED_TOO_SHORT",
      expectedBytes: MIN_SEED_BYTES,
      actualBytes: seed.length,
    });
  }
  return keyOfMaterial(seed);
}

/** @see EIP-2333, derive_child_SK */
export function deriveChildSecretKey(parent: Uint8Array, index: number): Uint8Array {
  return keyOfMaterial(compressedLamportKey(parent, index));
}

/** @see EIP-2333, hkdf_mod_r */
function keyOfMaterial(material: Uint8Array): Uint8Array {
  const input = concatBytes(material, Uint8Array.of(0));
  const info = Uint8Array.of(0, KEY_MATERIAL_BYTES);
  let salt = SALT;
  for (;;) {
    salt = sha256(salt);
    const value = bytesToBigInt(expand(input, salt, info, KEY_MATERIAL_BYTES)) % ORDER;
    if (value !== 0n) return bigIntToBytes(value, 32);
  }
}

/** @see EIP-2333, parent_SK_to_lamport_PK */
function compressedLamportKey(parent: Uint8Array, index: number): Uint8Array {
  const salt = bigIntToBytes(BigInt(index), 4);
  const flipped = parent.map((byte) => byte ^ 0xff);
  const hashes = [parent, flipped].flatMap((material) => {
    const chunks = expand(material, salt, NO_BYTES, LAMPORT_CHUNKS * CHUNK_BYTES);
    return Array.from({ length: LAMPORT_CHUNKS }, (_, chunk) =>
      sha256(chunks.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)),
    );
  });
  return sha256(concatBytes(...hashes));
}

/** HKDF-SHA256, both steps (RFC 5869). */
function expand(material: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", material, salt, info, bytes));
}
