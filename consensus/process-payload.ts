/** What consensus checks of an execution payload. See specs/consensus/state-transition.md#payload. */
import { equalBytes, toHex } from "../primitives/bytes.ts";
import { BlockError } from "./block-errors.ts";
import { containersOf } from "./chain-containers.ts";
import type { ChainParams } from "./params.ts";
import type { ExecutionPayload, ExecutionPayloadHeader } from "./payload-containers.ts";
import { type ConsensusState, getCurrentRandaoMix } from "./state.ts";
import { computeTimestampAtSlot } from "./time.ts";

/**
 * The payload continues the chain's last one and belongs to this slot. Whether its execution is valid is asked
 * elsewhere; a block enters fork choice only when both are so.
 *
 * @throws BlockError
 */
export function processPayload(state: ConsensusState, payload: ExecutionPayload, params: ChainParams): void {
  const parentHash = state.latestExecutionPayloadHeader.blockHash;
  if (!equalBytes(payload.parentHash, parentHash)) {
    throw new BlockError({
      code: "PAYLOAD_PARENT_HASH_MISMATCH",
      expected: toHex(parentHash),
      actual: toHex(payload.parentHash),
    });
  }
  const prevRandao = getCurrentRandaoMix(state, params);
  if (!equalBytes(payload.prevRandao, prevRandao)) {
    throw new BlockError({
      code: "PAYLOAD_WRONG_PREV_RANDAO",
      expected: toHex(prevRandao),
      actual: toHex(payload.prevRandao),
    });
  }
  const timestamp = computeTimestampAtSlot(state.genesisTime, state.slot, params);
  if (payload.timestamp !== timestamp) {
    throw new BlockError({
      code: "PAYLOAD_WRONG_TIMESTAMP",
      expected: timestamp,
      actual: payload.timestamp,
    });
  }
  checkSize(payload, params);
  state.latestExecutionPayloadHeader = toPayloadHeader(payload, params);
}

function checkSize({ transactions }: ExecutionPayload, params: ChainParams): void {
  const limitBytes = params.maxTransactionBytesPerBlock;
  const actualBytes = transactions.reduce((sum, transaction) => sum + transaction.length, 0);
  if (actualBytes > limitBytes) throw new BlockError({ code: "PAYLOAD_TOO_LARGE", limitBytes, actualBytes });
}

/** The payload with its lists replaced by their roots. */
export function toPayloadHeader(payload: ExecutionPayload, params: ChainParams): ExecutionPayloadHeader {
  const { transactions, withdrawals, ...header } = payload;
  const { Transactions, Withdrawals } = containersOf(params);
  return {
    ...header,
    transactionsRoot: Transactions.hashTreeRoot(transactions),
    withdrawalsRoot: Withdrawals.hashTreeRoot(withdrawals),
  };
}
