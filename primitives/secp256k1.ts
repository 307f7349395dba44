/** Account signatures: ECDSA over secp256k1 with public-key recovery. noble is the reference; a native build may be injected. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type Address, bigIntToBytes, bytesToBigInt, concatBytes, toHex } from "./bytes.ts";
import { assert } from "./errors.ts";
import { keccak256 } from "./hash.ts";

/** The group order n. */
export const SECP256K1_ORDER = secp256k1.Point.CURVE().n;
/** EIP-2: a signature with s above n/2 is malleable and refused in transactions. */
export const SECP256K1_HALF_ORDER = SECP256K1_ORDER >> 1n;

export type RecoverableSignature = { readonly r: bigint; readonly s: bigint; readonly yParity: 0 | 1 };

export interface Secp256k1Backend {
  /** Deterministic (RFC 6979), low s. `signature` is r ‖ s, 64 bytes. */
  sign(
    hash: Uint8Array,
    privateKey: Uint8Array,
  ): { readonly signature: Uint8Array; readonly recovery: number };
  /** 65 uncompressed bytes (0x04 ‖ x ‖ y), or undefined when no key fits. High s is accepted. */
  recover(hash: Uint8Array, signature: Uint8Array, recovery: number): Uint8Array | undefined;
  /** 65 uncompressed bytes. */
  publicKey(privateKey: Uint8Array): Uint8Array;
}

export const nobleSecp256k1: Secp256k1Backend = {
  sign(hash, privateKey) {
    const bytes = secp256k1.sign(hash, privateKey, { prehash: false, format: "recovered" });
    return { signature: bytes.slice(1), recovery: bytes[0] ?? 0 };
  },
  recover(hash, signature, recovery) {
    try {
      const bytes = concatBytes(Uint8Array.of(recovery), signature);
      return secp256k1.Signature.fromBytes(bytes, "recovered").recoverPublicKey(hash).toBytes(false);
    } catch {
      // noble throws plain errors for values out of range and for points that do not exist.
      return undefined;
    }
  },
  publicKey: (privateKey) => secp256k1.getPublicKey(privateKey, false),
};

let backend: Secp256k1Backend = nobleSecp256k1;

/** Called once per thread, at start. The backends agree: specs/primitives/backends.spec.ts. */
export function useSecp256k1Backend(chosen: Secp256k1Backend): void {
  backend = chosen;
}

/** Whether 32 bytes are a usable private key: 0 < key < n. */
export function isValidPrivateKey(privateKey: Uint8Array): boolean {
  if (privateKey.length !== 32) return false;
  const value = bytesToBigInt(privateKey);
  return value > 0n && value < SECP256K1_ORDER;
}

/** Signs a 32-byte digest; low s, deterministic. */
export function signRecoverable(hash: Uint8Array, privateKey: Uint8Array): RecoverableSignature {
  assert(hash.length === 32, "what is signed is a 32-byte digest");
  const { signature, recovery } = backend.sign(hash, privateKey);
  return {
    r: bytesToBigInt(signature.subarray(0, 32)),
    s: bytesToBigInt(signature.subarray(32)),
    yParity: recovery === 0 ? 0 : 1,
  };
}

/**
 * The account that signed `hash`, or undefined when r or s is out of range or no key fits.
 * High s is accepted here: whether it is allowed is the caller's rule (EIP-2; the ecrecover precompile allows it).
 */
export function recoverAddress(hash: Uint8Array, r: bigint, s: bigint, yParity: number): Address | undefined {
  if (r <= 0n || r >= SECP256K1_ORDER || s <= 0n || s >= SECP256K1_ORDER) return undefined;
  if (yParity !== 0 && yParity !== 1) return undefined;
  const signature = concatBytes(bigIntToBytes(r, 32), bigIntToBytes(s, 32));
  const publicKey = backend.recover(hash, signature, yParity);
  return publicKey === undefined ? undefined : publicKeyToAddress(publicKey);
}

/** Last 20 bytes of the Keccak-256 of x ‖ y. `publicKey` is 65 uncompressed bytes. */
export function publicKeyToAddress(publicKey: Uint8Array): Address {
  assert(publicKey.length === 65, "an uncompressed public key has 65 bytes");
  return toHex(keccak256(publicKey.subarray(1)).subarray(12));
}

export function privateKeyToAddress(privateKey: Uint8Array): Address {
  return publicKeyToAddress(backend.publicKey(privateKey));
}
