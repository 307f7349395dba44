/**
 * Well-known validator keys for development networks. Anyone can compute them: never stake value with them.
 * The same as other clients use (ethereum/eth2.0-pm, interop/mocked_start).
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bigIntToBytes, bytesToBigInt } from "./bytes.ts";
import { sha256 } from "./hash.ts";

/** Secret key `index`: SHA-256 of the index as 32 little-endian bytes, read little-endian, modulo the group order. */
export function interopSecretKey(index: number): Uint8Array {
  const preimage = bigIntToBytes(BigInt(index), 32).reverse();
  const value = bytesToBigInt(sha256(preimage).reverse());
  return bigIntToBytes(value % bls12_381.fields.Fr.ORDER, 32);
}
