/** Builds a block from candidate transactions. See specs/vm/execute-block.md#building. */
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { nextBaseFee } from "./base-fee.ts";
import type { Block, Header, Withdrawal } from "./block.ts";
import {
  applyTransaction,
  type BlockExecution,
  type BlockOpening,
  type BlockResult,
  beginBlock,
  finishBlock,
  gasAvailable,
} from "./block-execution.ts";
import {
  computeReceiptsRoot,
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "./block-roots.ts";
import type { PayloadInput } from "./execute-block.ts";
import { GAS } from "./gas.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS } from "./header.ts";
import { nextGasLimit } from "./header-rules.ts";
import type { RecoveredTransaction } from "./transaction.ts";
import { InvalidTransactionError } from "./transaction-rules.ts";

/** Bytes of transactions in a block: what a gossip message can carry with room to spare. */
export const BLOCK_TRANSACTIONS_LIMIT_BYTES = 2_097_152;

/** What the proposer decides. */
export type PayloadAttributes = Pick<Header, "timestamp" | "prevRandao" | "feeRecipient"> & {
  readonly parentBeaconBlockRoot: `0x${string}`;
  readonly withdrawals: readonly Withdrawal[];
  /** The gas limit moves toward this, as far as the rules let it. */
  readonly gasLimitTarget: bigint;
  /** At most 32 bytes; none when absent. */
  readonly extraData?: Uint8Array;
};

/** Candidates, best first. */
export interface TransactionSource {
  /** The next candidate, or undefined when there are no more. */
  next(): RecoveredTransaction | undefined;
  /** The last candidate was left out: later ones of its sender would be too. */
  skipSender(): void;
}

export type BuiltPayload = BlockResult & { readonly block: Block };

/**
 * A valid block after `input.parent` with as many candidates as fit in gas, in bytes and until `shouldStop`.
 *
 * @param shouldStop asked before each transaction; for a time limit, which is the caller's business.
 */
export function buildPayload(
  input: PayloadInput,
  attributes: PayloadAttributes,
  source: TransactionSource,
  shouldStop: () => boolean = () => false,
): BuiltPayload {
  const opening = openBlock(input, attributes);
  const execution = beginBlock(input.config, opening, input.state, input.machine, input.ancestorHash);
  const transactions = includeTransactions(execution, source, shouldStop);
  input.onStage?.("transactions");
  const result = finishBlock(execution, attributes.withdrawals);
  input.onStage?.("state");
  const header: Header = {
    ...PROOF_OF_STAKE_FIELDS,
    ...opening,
    extraData: attributes.extraData ?? EMPTY_BYTES,
    transactionsRoot: computeTransactionsRoot(transactions.map(({ raw }) => raw)),
    withdrawalsRoot: computeWithdrawalsRoot(attributes.withdrawals),
    receiptsRoot: computeReceiptsRoot(result.receipts),
    requestsHash: computeRequestsHash(result.requests),
    stateRoot: result.diff.stateRoot,
    logsBloom: result.logsBloom,
    gasUsed: result.gasUsed,
  };
  const { withdrawals } = attributes;
  return { ...result, block: { hash: headerHash(header), header, transactions, withdrawals } };
}

function openBlock({ config, parent }: PayloadInput, attributes: PayloadAttributes): BlockOpening {
  return {
    parentHash: headerHash(parent),
    number: parent.number + 1,
    timestamp: attributes.timestamp,
    feeRecipient: attributes.feeRecipient,
    gasLimit: nextGasLimit(config, parent.gasLimit, attributes.gasLimitTarget),
    prevRandao: attributes.prevRandao,
    baseFeePerGas: nextBaseFee(parent),
    parentBeaconBlockRoot: attributes.parentBeaconBlockRoot,
  };
}

function includeTransactions(
  execution: BlockExecution,
  source: TransactionSource,
  shouldStop: () => boolean,
): readonly RecoveredTransaction[] {
  const included: RecoveredTransaction[] = [];
  let bytesLeft = BLOCK_TRANSACTIONS_LIMIT_BYTES;
  while (gasAvailable(execution) >= BigInt(GAS.transaction) && !shouldStop()) {
    const candidate = source.next();
    if (candidate === undefined) break;
    if (candidate.raw.length <= bytesLeft && canApply(execution, candidate)) {
      bytesLeft -= candidate.raw.length;
      included.push(candidate);
    } else source.skipSender();
  }
  return included;
}

function canApply(execution: BlockExecution, candidate: RecoveredTransaction): boolean {
  try {
    applyTransaction(execution, candidate);
    return true;
  } catch (error) {
    if (error instanceof InvalidTransactionError) return false;
    throw error;
  }
}
