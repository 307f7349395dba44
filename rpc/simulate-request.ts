/** What eth_simulateV1 is asked: blocks of calls, checked and put in a row. See specs/rpc/simulate.md. */
import { toChecksumAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import type { Header, Withdrawal } from "../vm/block.ts";
import { PRECOMPILES } from "../vm/contract/precompiles.ts";
import type { SimulatedBlockPlan } from "../vm/simulate.ts";
import { callParameter, type SimulatedOverride, simulatedOverrides } from "./call-request.ts";
import { ERROR_CODES, invalidParams, RpcError, serverError } from "./rpc-errors.ts";
import {
  address,
  boolean,
  count,
  listOf,
  objectOf,
  optional,
  quantity,
  type Schema,
  storageSlot,
  type ValuesOf,
} from "./schema.ts";

/** Blocks of one simulation, those that fill gaps too: as far as BLOCKHASH looks back; geth's. */
const BLOCKS_LIMIT = 256;
/** Members a list may have at all; gas bounds the calls long before. */
const LIST_LIMIT = 5000;
/** EIP-4895's, for one block. */
const WITHDRAWALS_LIMIT = 16;
/** Between a block and the next unless the client says otherwise. */
const SECONDS_BETWEEN_BLOCKS = 1;

const withdrawal = objectOf("a withdrawal", {
  index: quantity,
  validatorIndex: quantity,
  address,
  amount: quantity,
});

const blockOverrides = objectOf("block overrides", {
  number: optional(count),
  time: optional(count),
  prevRandao: optional(storageSlot),
  gasLimit: optional(count),
  feeRecipient: optional(address),
  baseFeePerGas: optional(quantity),
  withdrawals: optional(listOf(withdrawal, WITHDRAWALS_LIMIT), []),
});

const blockCalls = objectOf("a block of calls", {
  blockOverrides: optional(blockOverrides),
  stateOverrides: simulatedOverrides,
  calls: optional(listOf(callParameter, LIST_LIMIT), []),
});

export const simulatePayload = objectOf("a simulation", {
  blockStateCalls: listOf(blockCalls, LIST_LIMIT),
  traceTransfers: optional(boolean, false),
  validation: optional(boolean, false),
  returnFullTransactions: optional(boolean, false),
});

type ValueOf<S> = S extends Schema<infer T> ? T : never;
export type SimulatePayload = ValueOf<typeof simulatePayload>;
type BlockCalls = ValueOf<typeof blockCalls>;
type BlockOverrides = ValuesOf<{
  readonly number: Schema<number | undefined>;
  readonly time: Schema<number | undefined>;
}>;

/**
 * The blocks in a row after `base`, gaps between their numbers filled with empty ones.
 * @throws RpcError with the codes of execution-apis when numbers or times do not ascend, or precompiles are
 *   moved in ways that make no sense.
 */
export function planBlocks(
  { blockStateCalls }: SimulatePayload,
  base: Pick<Header, "number" | "timestamp">,
): readonly SimulatedBlockPlan[] {
  if (blockStateCalls.length === 0) throw invalidParams("empty input");
  const precompiles = new Set(PRECOMPILES.keys());
  const plans: SimulatedBlockPlan[] = [];
  let previous = base;
  for (const block of blockStateCalls) {
    const number = numberAfter(previous, block.blockOverrides);
    if (number - base.number > BLOCKS_LIMIT) {
      throw new RpcError(ERROR_CODES.simulationTooLarge, "too many blocks");
    }
    while (previous.number + 1 < number) {
      previous = { number: previous.number + 1, timestamp: previous.timestamp + SECONDS_BETWEEN_BLOCKS };
      plans.push(
        planOf({ blockOverrides: undefined, stateOverrides: new Map(), calls: [] }, previous, new Map()),
      );
    }
    previous = { number, timestamp: timestampAfter(previous, block.blockOverrides) };
    plans.push(planOf(block, previous, movePrecompiles(block.stateOverrides, precompiles)));
  }
  return plans;
}

function numberAfter(previous: { readonly number: number }, overrides: BlockOverrides | undefined): number {
  const number = overrides?.number ?? previous.number + 1;
  if (number > previous.number) return number;
  const text = `block numbers must be in order: ${number} <= ${previous.number}`;
  throw new RpcError(ERROR_CODES.blockNumbersOutOfOrder, text);
}

function timestampAfter(
  previous: { readonly timestamp: number },
  overrides: BlockOverrides | undefined,
): number {
  const timestamp = overrides?.time ?? previous.timestamp + SECONDS_BETWEEN_BLOCKS;
  if (timestamp > previous.timestamp) return timestamp;
  const text = `block timestamps must be in order: ${timestamp} <= ${previous.timestamp}`;
  throw new RpcError(ERROR_CODES.blockTimestampsOutOfOrder, text);
}

function planOf(
  { blockOverrides: given, stateOverrides, calls }: BlockCalls,
  place: Pick<Header, "number" | "timestamp">,
  movedPrecompiles: ReadonlyMap<Address, Address | null>,
): SimulatedBlockPlan {
  return {
    ...place,
    feeRecipient: given?.feeRecipient,
    prevRandao: given?.prevRandao,
    gasLimit: given?.gasLimit === undefined ? undefined : BigInt(given.gasLimit),
    baseFeePerGas: given?.baseFeePerGas,
    withdrawals: (given?.withdrawals ?? []).map(toWithdrawal),
    overrides: stateOverrides,
    movedPrecompiles,
    calls,
  };
}

function toWithdrawal({ amount, ...rest }: ValueOf<typeof withdrawal>): Withdrawal {
  return { ...rest, amountGwei: amount };
}

/** What an override touches is no precompile any more; `precompiles` follows. @throws RpcError */
function movePrecompiles(
  overrides: ReadonlyMap<Address, SimulatedOverride>,
  precompiles: Set<Address>,
): ReadonlyMap<Address, Address | null> {
  const moved = new Map<Address, Address | null>();
  for (const [from, { movePrecompileToAddress: to }] of overrides) {
    if (to !== undefined) checkMove(from, to, overrides, precompiles, moved);
    if (precompiles.has(from)) moved.set(from, to ?? null);
  }
  for (const from of moved.keys()) precompiles.delete(from);
  for (const to of moved.values()) if (to !== null) precompiles.add(to);
  return moved;
}

function checkMove(
  from: Address,
  to: Address,
  overrides: ReadonlyMap<Address, SimulatedOverride>,
  precompiles: ReadonlySet<Address>,
  moved: ReadonlyMap<Address, Address | null>,
): void {
  if (!precompiles.has(from)) throw serverError(`account ${toChecksumAddress(from)} is not a precompile`);
  if (from === to) {
    throw new RpcError(ERROR_CODES.precompileMovedToItself, `precompile ${from} is moved to itself`);
  }
  if ([...moved.values()].includes(to)) {
    throw new RpcError(ERROR_CODES.precompilesMovedTogether, `two precompiles are moved to ${to}`);
  }
  if (overrides.has(to)) throw serverError(`account ${toChecksumAddress(to)} is already overridden`);
}
