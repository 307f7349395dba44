/** What differs from chain to chain in execution. See specs/vm/execute-block.md#configuration. */
import type { Address } from "../primitives/bytes.ts";

export type ChainConfig = {
  readonly chainId: bigint;
  /** Bounds of every block's gas limit. */
  readonly gasLimitMinimum: bigint;
  readonly gasLimitMaximum: bigint;
  /** Whose `DepositEvent` logs become deposit requests (EIP-6110). */
  readonly depositContract: Address | undefined;
  /** Called after the transactions; what it returns are exit requests (EIP-7002). */
  readonly exitContract: Address | undefined;
  /** A development chain's: an account with code may send transactions, EIP-3607 notwithstanding. */
  readonly allowsContractSenders?: boolean;
};

/** Where Ethereum has the contract that keeps beacon block roots (EIP-4788). */
export const BEACON_ROOTS_ADDRESS: Address = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02";
/** Where Ethereum has the contract that keeps block hashes (EIP-2935). */
export const BLOCK_HASHES_ADDRESS: Address = "0x0000f90827f1c53a10cb7a02335b175320002935";
/** Where Ethereum has its deposit contract, so that tools for stakers know it. */
export const DEPOSIT_CONTRACT_ADDRESS: Address = "0x00000000219ab540356cbb839cbe05303d7705fa";
/** Where Ethereum has the contract that takes exit requests (EIP-7002). */
export const EXIT_CONTRACT_ADDRESS: Address = "0x00000961ef480eb55e80d19ad83579a64c007002";
/** Who calls system contracts. */
export const SYSTEM_ADDRESS: Address = "0xfffffffffffffffffffffffffffffffffffffffe";
/** Gas of each system call, counted toward nothing (EIP-4788). */
export const SYSTEM_CALL_GAS = 30_000_000;

/** 5 million gas: room for a deployment of the largest container in every block. */
export const GAS_LIMIT_MINIMUM = 5_000_000n;
/** What a block may use unless the chain says otherwise. */
export const GAS_LIMIT_DEFAULT = 30_000_000n;
