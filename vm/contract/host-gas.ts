/** Prices of host operations that Ethereum's schedule does not name. See specs/vm/contract/host-functions.md#prices. */
import { GAS, wordsOf } from "../gas.ts";
import type { LoadSize } from "./stored-contract.ts";

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
  /** On top of Ethereum's 30: data and hash are texts, read and written. */
  keccak: 60,
  sha256: 60,
  sha256Word: 12,
  ripemd160: 600,
  ripemd160Word: 120,
  /** Ethereum's 3 000 would pay for half of its time. */
  recover: 6_000,
} as const;

/** A page of a contract's snapshot, which entering it restores. */
export const RESTORED_PAGE_GAS = 4;

/** Loading a contract that a transaction has not entered before, whether it is in memory or not. */
export const COLD_CODE_GAS = {
  /** Finding it; more is not looked at before this is there. */
  least: 6_500,
  /** How much of it the price of a transaction pays for the code that it calls, whose address is warm as well. */
  ofTransaction: 22_000,
  /** A page of the snapshot that differs from the base. */
  page: 4,
  /** Bytes of the snapshot's difference that one gas reads, checks and unpacks. */
  deltaBytesPerGas: 6,
  /** Bytes beyond this cost twice as much: they leave the processor's caches. */
  largeDeltaBytes: 131_072,
} as const;

export function coldCodeGas({ pageCount, deltaBytes, definitionBytes }: LoadSize): number {
  const { least, page, deltaBytesPerGas, largeDeltaBytes } = COLD_CODE_GAS;
  const bytes = deltaBytes + Math.max(0, deltaBytes - largeDeltaBytes);
  // A declared byte takes one gas to read.
  return least + page * pageCount + Math.ceil(bytes / deltaBytesPerGas) + definitionBytes;
}

/**
 * What a deployment costs at least, for each byte that nodes keep of the evaluated contract; half of what a byte of a
 * block costs at least (EIP-7623). Contracts that are what their source says pay more for code and evaluation.
 */
export const STORED_BYTE_GAS = 5;

export function storedContractGas({ deltaBytes, definitionBytes }: LoadSize): number {
  return STORED_BYTE_GAS * (deltaBytes + definitionBytes);
}

export function keccakGas(bytes: number): number {
  return GAS.keccak + GAS.keccakWord * wordsOf(bytes);
}

export function codecGas(bytes: number): number {
  return HOST_GAS.codecWord * wordsOf(bytes);
}
