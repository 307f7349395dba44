/** Prices of host operations that Ethereum's schedule does not name. See specs/vm/contract/host-functions.md#prices. */
import { GAS, wordsOf } from "../gas.ts";

/** Ticks of the engine that one gas buys. See specs/vm/gas.md#calibration. */
export const TICKS_PER_GAS = 48;

export const HOST_GAS = {
  /** Entering and leaving the engine, for every operation. */
  operation: 60,
  /** What the guest is thrown in place of an answer. */
  exception: 1_500,
  /** Reading a signature, per character: parsing and compiling a codec. */
  signatureCharacter: 2,
  /** Decoding or encoding, per word; a copy costs as much on Ethereum. */
  codecWord: 6,
  /** What EIP-1153 and the yellow paper charge beyond Ethereum's names in `GAS`. */
  blockHash: 20,
  console: 100,
  sha256: 60,
  sha256Word: 12,
  ripemd160: 600,
  ripemd160Word: 120,
  /** Ethereum's 3 000 would pay for half of its time. */
  recover: 6_000,
} as const;

/** Snapshot bytes one gas restores. */
export const SNAPSHOT_BYTES_PER_GAS = 64;

export function keccakGas(bytes: number): number {
  return GAS.keccak + GAS.keccakWord * wordsOf(bytes);
}

export function codecGas(bytes: number): number {
  return HOST_GAS.codecWord * wordsOf(bytes);
}
