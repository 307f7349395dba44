/** The two hash functions of the protocol. noble is the reference; a faster build may be injected. */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { keccak_256 as nobleKeccak256 } from "@noble/hashes/sha3.js";
import { type Hash, toHex } from "./bytes.ts";

export interface HashBackend {
  /** Keccak-256 as Ethereum uses it (original padding, not SHA3-256). Returns 32 fresh bytes. */
  keccak256(data: Uint8Array): Uint8Array;
  /** SHA-256 (FIPS 180-4). Returns 32 fresh bytes. */
  sha256(data: Uint8Array): Uint8Array;
}

export const nobleHashes: HashBackend = { keccak256: nobleKeccak256, sha256: nobleSha256 };

let backend: HashBackend = nobleHashes;

/** Called once per thread, at start. The backends agree: specs/primitives/backends.spec.ts. */
export function useHashBackend(chosen: HashBackend): void {
  backend = chosen;
}

export function keccak256(data: Uint8Array): Uint8Array {
  return backend.keccak256(data);
}

export function keccak256Hex(data: Uint8Array): Hash {
  return toHex(backend.keccak256(data));
}

export function sha256(data: Uint8Array): Uint8Array {
  return backend.sha256(data);
}
