/** What a header must be given its parent, before anything runs. See specs/vm/block.md#header-rules. */
import { toHex } from "../primitives/bytes.ts";
import { nextBaseFee } from "./base-fee.ts";
import type { Header } from "./block.ts";
import type { ChainConfig } from "./chain-config.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS } from "./header.ts";
import { InvalidBlockError } from "./invalid-block.ts";

/** Yellow Paper, 4.3.4. */
export const EXTRA_DATA_LIMIT_BYTES = 32;
/** A block's gas limit differs from its parent's by less than this fraction of it (Yellow Paper, 4.3.4). */
export const GAS_LIMIT_BOUND_DIVISOR = 1_024n;

/** @throws InvalidBlockError */
export function checkHeader(config: ChainConfig, parent: Header, header: Header): void {
  checkFields(header, {
    ...PROOF_OF_STAKE_FIELDS,
    parentHash: headerHash(parent),
    number: parent.number + 1,
    baseFeePerGas: nextBaseFee(parent),
  });
  if (header.timestamp <= parent.timestamp) {
    throw new InvalidBlockError({
      code: "BLOCK_TIMESTAMP_NOT_AFTER_PARENT",
      timestamp: header.timestamp,
      parent: parent.timestamp,
    });
  }
  checkGasLimit(config, parent.gasLimit, header.gasLimit);
  if (header.extraData.length > EXTRA_DATA_LIMIT_BYTES) {
    throw new InvalidBlockError({ code: "BLOCK_EXTRA_DATA_TOO_LONG", size: header.extraData.length });
  }
}

/** Compares the given fields, in their order. @throws InvalidBlockError at the first that differs. */
export function checkFields(header: Header, expectedFields: Partial<Header>): void {
  for (const field of Object.keys(expectedFields) as (keyof Header)[]) {
    const expected = textOf(expectedFields[field]);
    const actual = textOf(header[field]);
    if (expected !== actual)
      throw new InvalidBlockError({ code: "BLOCK_WRONG_FIELD", field, expected, actual });
  }
}

function textOf(value: Header[keyof Header]): string {
  return value instanceof Uint8Array ? toHex(value) : String(value);
}

function checkGasLimit(config: ChainConfig, parent: bigint, gasLimit: bigint): void {
  if (gasLimit < config.gasLimitMinimum || gasLimit > config.gasLimitMaximum) {
    throw new InvalidBlockError({ code: "BLOCK_GAS_LIMIT_OUT_OF_BOUNDS", gasLimit });
  }
  const difference = gasLimit > parent ? gasLimit - parent : parent - gasLimit;
  if (difference !== 0n && difference >= parent / GAS_LIMIT_BOUND_DIVISOR) {
    throw new InvalidBlockError({ code: "BLOCK_GAS_LIMIT_MOVED_TOO_FAR", gasLimit, parent });
  }
}

/** Gas limit of the next block on the way to `target`: as near to it as the rules allow. */
export function nextGasLimit(config: ChainConfig, parent: bigint, target: bigint): bigint {
  const wanted = clamp(target, config.gasLimitMinimum, config.gasLimitMaximum);
  const step = parent / GAS_LIMIT_BOUND_DIVISOR - 1n;
  return clamp(wanted, parent - step, parent + step);
}

function clamp(value: bigint, minimum: bigint, maximum: bigint): bigint {
  if (value < minimum) return minimum;
  return value > maximum ? maximum : value;
}
