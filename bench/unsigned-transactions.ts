/** A block and transactions of one sender, for benchmarks of execution. */
import { type Address, EMPTY_BYTES, ZERO_HASH } from "../primitives/bytes.ts";
import { config, GWEI } from "../specs/support/execution-chain.ts";
import type { BlockOpening } from "../vm/block-execution.ts";
import type { RecoveredTransaction } from "../vm/transaction.ts";

export const DEPLOYER: Address = "0x00000000000000000000000000000000000abc00";

export function opening(): BlockOpening {
  return {
    parentHash: ZERO_HASH,
    number: 1,
    timestamp: 1_700_000_001,
    prevRandao: ZERO_HASH,
    feeRecipient: "0xfee0000000000000000000000000000000000000",
    gasLimit: 2n ** 40n,
    baseFeePerGas: GWEI,
    parentBeaconBlockRoot: ZERO_HASH,
  };
}

/** Signature and raw bytes are not read by execution, so these transactions have none. */
export function transaction(
  nonce: number,
  to: Address | undefined,
  data: Uint8Array = EMPTY_BYTES,
): RecoveredTransaction {
  return {
    sender: DEPLOYER,
    hash: ZERO_HASH,
    raw: EMPTY_BYTES,
    transaction: {
      type: 2,
      chainId: config.chainId,
      nonce: BigInt(nonce),
      gasLimit: to === undefined ? 20_000_000n : 1_000_000n,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: GWEI,
      to,
      value: 0n,
      data,
      accessList: [],
      yParity: 0,
      r: 1n,
      s: 1n,
    },
  };
}
