/** The base fee of the next block (EIP-1559). See specs/vm/block.md#base-fee. */
import { assert } from "../primitives/errors.ts";
import type { Header } from "./block.ts";

/** Half of the gas limit is the target. */
export const ELASTICITY_MULTIPLIER = 2n;
/** The fee moves by at most one eighth per block. */
export const BASE_FEE_CHANGE_DENOMINATOR = 8n;
/** Base fee of a genesis block that names none: 1 Gwei, in wei. */
export const INITIAL_BASE_FEE_PER_GAS = 1_000_000_000n;

/**
 * Base fee per gas, in wei, of the block after `parent`.
 *
 * Above target it rises by at least 1 wei, so that it can leave zero; below target it falls.
 * @see EIP-1559, Specification, `expected_base_fee_per_gas`
 */
export function nextBaseFee(parent: Pick<Header, "gasLimit" | "gasUsed" | "baseFeePerGas">): bigint {
  const { baseFeePerGas, gasUsed } = parent;
  assert(baseFeePerGas !== undefined, "every block of this chain has a base fee");
  const target = parent.gasLimit / ELASTICITY_MULTIPLIER;
  if (gasUsed === target) return baseFeePerGas;
  if (gasUsed > target) {
    const rise = (baseFeePerGas * (gasUsed - target)) / target / BASE_FEE_CHANGE_DENOMINATOR;
    return baseFeePerGas + (rise > 1n ? rise : 1n);
  }
  return baseFeePerGas - (baseFeePerGas * (target - gasUsed)) / target / BASE_FEE_CHANGE_DENOMINATOR;
}
