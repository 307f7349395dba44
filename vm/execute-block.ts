/** Checks a block by running it: every header field against what comes out. See specs/vm/execute-block.md#validity. */
import { assert } from "../primitives/errors.ts";
import type { Block, Header } from "./block.ts";
import {
  type AncestorHash,
  applyTransaction,
  type BlockExecution,
  type BlockOpening,
  type BlockResult,
  beginBlock,
  finishBlock,
} from "./block-execution.ts";
import {
  computeReceiptsRoot,
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "./block-roots.ts";
import type { ChainConfig } from "./chain-config.ts";
import { checkFields, checkHeader } from "./header-rules.ts";
import { InvalidBlockError } from "./invalid-block.ts";
import type { ContractMachine } from "./message.ts";
import type { StateStore } from "./state/account.ts";
import type { RecoveredTransaction } from "./transaction.ts";
import { InvalidTransactionError } from "./transaction-rules.ts";

export type PayloadInput = {
  readonly config: ChainConfig;
  readonly machine: ContractMachine;
  readonly parent: Header;
  /** The state after the parent. */
  readonly state: StateStore;
  readonly ancestorHash: AncestorHash;
  /** Told when the transactions have run and when the new state is computed: the caller may have a clock. */
  readonly onStage?: (stage: "transactions" | "state") => void;
};

/**
 * Runs a block on its parent's state and checks every field of its header.
 *
 * That `block.hash` is the hash of the header is for whoever made the block value.
 * @throws InvalidBlockError
 */
export function executePayload(input: PayloadInput, block: Omit<Block, "hash">): BlockResult {
  const { header, transactions, withdrawals } = block;
  checkHeader(input.config, input.parent, header);
  checkFields(header, {
    transactionsRoot: computeTransactionsRoot(transactions.map(({ raw }) => raw)),
    withdrawalsRoot: computeWithdrawalsRoot(withdrawals),
  });
  const execution = beginBlock(
    input.config,
    openingOf(header),
    input.state,
    input.machine,
    input.ancestorHash,
  );
  for (const [index, transaction] of transactions.entries()) applyAt(execution, transaction, index);
  input.onStage?.("transactions");
  const result = finishBlock(execution, withdrawals);
  input.onStage?.("state");
  checkFields(header, {
    gasUsed: result.gasUsed,
    logsBloom: result.logsBloom,
    receiptsRoot: computeReceiptsRoot(result.receipts),
    requestsHash: computeRequestsHash(result.requests),
    stateRoot: result.diff.stateRoot,
  });
  return result;
}

function openingOf(header: Header): BlockOpening {
  const { baseFeePerGas, parentBeaconBlockRoot } = header;
  assert(baseFeePerGas !== undefined, "checkHeader compared the base fee");
  if (parentBeaconBlockRoot === undefined) {
    throw new InvalidBlockError({
      code: "BLOCK_WRONG_FIELD",
      field: "parentBeaconBlockRoot",
      expected: "32 bytes",
      actual: "undefined",
    });
  }
  return { ...header, baseFeePerGas, parentBeaconBlockRoot };
}

function applyAt(execution: BlockExecution, transaction: RecoveredTransaction, index: number): void {
  try {
    applyTransaction(execution, transaction);
  } catch (error) {
    if (!(error instanceof InvalidTransactionError)) throw error;
    throw new InvalidBlockError(
      { code: "BLOCK_TRANSACTION_INVALID", index, reason: error.detail.code },
      { cause: error },
    );
  }
}
