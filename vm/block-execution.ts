/** A block while it runs, for whoever checks it and whoever builds it. See specs/vm/execute-block.md#order. */
import { type Address, EMPTY_BYTES, fromHex, type Hash, ZERO_HASH } from "../primitives/bytes.ts";
import { WEI_PER_GWEI } from "../primitives/units.ts";
import type { ExecutedReceipt, Header, Log, Withdrawal } from "./block.ts";
import {
  BEACON_ROOTS_ADDRESS,
  BLOCK_HASHES_ADDRESS,
  type ChainConfig,
  SYSTEM_ADDRESS,
  SYSTEM_CALL_GAS,
} from "./chain-config.ts";
import { executeMessage } from "./execute-message.ts";
import { type BlockContext, executeTransaction } from "./execute-transaction.ts";
import { InnerParticipants } from "./inner-participants.ts";
import { InvalidBlockError } from "./invalid-block.ts";
import type { BlockEnvironment, ContractMachine } from "./message.ts";
import { computeLogsBloom, mergeBloom } from "./receipt.ts";
import { depositRequests, EXIT_REQUEST_TYPE, encodeRequest } from "./requests.ts";
import type { StateDiff, StateStore } from "./state/account.ts";
import { createJournal } from "./state/journal.ts";
import { computeStateDiff } from "./state/state-diff.ts";
import type { RecoveredTransaction } from "./transaction.ts";

/** Blocks back that a contract can ask the hash of (Yellow Paper, 9.4.2). */
export const BLOCK_HASH_WINDOW = 256;

/** Hash of an ancestor by number, for numbers in the window. */
export type AncestorHash = (number: number) => Hash;

export type BlockExecution = {
  readonly config: ChainConfig;
  readonly context: BlockContext;
  /** The state after the parent. */
  readonly state: StateStore;
  readonly receipts: ExecutedReceipt[];
  /** Of the transaction that runs. */
  readonly inner: InnerParticipants;
  readonly innerParticipants: (readonly Address[])[];
  readonly logs: Log[];
  readonly logsBloom: Uint8Array;
  gasUsed: bigint;
};

export type BlockResult = {
  readonly receipts: readonly ExecutedReceipt[];
  /** For each transaction, whom its calls reached besides its sender, its recipient and precompiles. */
  readonly innerParticipants: readonly (readonly Address[])[];
  readonly gasUsed: bigint;
  readonly logsBloom: Uint8Array;
  /** Type byte and data of each request. */
  readonly requests: readonly Uint8Array[];
  readonly diff: StateDiff;
};

/** What a header says about the block before it has run. */
export type BlockOpening = Pick<
  Header,
  "parentHash" | "number" | "timestamp" | "feeRecipient" | "gasLimit" | "prevRandao"
> & { readonly baseFeePerGas: bigint; readonly parentBeaconBlockRoot: Hash };

/** What contracts see of the block. */
export function blockEnvironment(
  chainId: bigint,
  header: Omit<BlockOpening, "parentBeaconBlockRoot">,
  ancestorHash: AncestorHash,
): BlockEnvironment {
  const { number, timestamp, feeRecipient, gasLimit, prevRandao, baseFeePerGas, parentHash } = header;
  return {
    chainId,
    number,
    timestamp,
    feeRecipient,
    gasLimit,
    prevRandao,
    baseFeePerGas,
    blockHash(ancestor) {
      if (ancestor >= number || ancestor < 0 || ancestor < number - BLOCK_HASH_WINDOW) return ZERO_HASH;
      return ancestor === number - 1 ? parentHash : ancestorHash(ancestor);
    },
  };
}

/** Opens a block on top of `state` and makes its first system calls. @throws InvalidBlockError */
export function beginBlock(
  config: ChainConfig,
  opening: BlockOpening,
  state: StateStore,
  machine: ContractMachine,
  ancestorHash: AncestorHash,
): BlockExecution {
  const inner = new InnerParticipants();
  const context: BlockContext = {
    block: blockEnvironment(config.chainId, opening, ancestorHash),
    journal: createJournal(state),
    machine,
    tracer: inner,
    ...(config.allowsContractSenders === true && { allowsContractSenders: true }),
  };
  makeOpeningCalls(context, opening);
  const logsBloom = new Uint8Array(256);
  const collected = { receipts: [], inner, innerParticipants: [], logs: [], logsBloom, gasUsed: 0n };
  return { config, context, state, ...collected };
}

/** The system calls before the first transaction (EIP-4788, EIP-2935). @throws InvalidBlockError */
export function makeOpeningCalls(
  context: BlockContext,
  opening: Pick<BlockOpening, "parentBeaconBlockRoot" | "parentHash">,
): void {
  systemCall(context, BEACON_ROOTS_ADDRESS, fromHex(opening.parentBeaconBlockRoot));
  systemCall(context, BLOCK_HASHES_ADDRESS, fromHex(opening.parentHash));
}

/** Gas the block still has. */
export function gasAvailable(execution: BlockExecution): bigint {
  return execution.context.block.gasLimit - execution.gasUsed;
}

/** Runs the next transaction. @throws InvalidTransactionError, and then nothing changed. */
export function applyTransaction(
  execution: BlockExecution,
  recovered: RecoveredTransaction,
): ExecutedReceipt {
  const result = executeTransaction(execution.context, recovered, gasAvailable(execution));
  const gasUsed = BigInt(result.gasUsed);
  execution.gasUsed += gasUsed;
  const logsBloom = computeLogsBloom(result.logs);
  const receipt: ExecutedReceipt = {
    type: recovered.transaction.type,
    succeeded: result.outcome === "success",
    cumulativeGasUsed: execution.gasUsed,
    logsBloom,
    logs: result.logs,
    gasUsed,
    effectiveGasPrice: result.effectiveGasPrice,
    ...(result.contractAddress !== undefined && { contractAddress: result.contractAddress }),
  };
  execution.receipts.push(receipt);
  const { precompiles } = execution.context.machine;
  const { sender, transaction } = recovered;
  execution.innerParticipants.push(
    execution.inner.except((one) => one === sender || one === transaction.to || precompiles.has(one)),
  );
  if (result.logs.length > 0) {
    mergeBloom(execution.logsBloom, logsBloom);
    execution.logs.push(...result.logs);
  }
  return receipt;
}

/** Collects the requests, pays the withdrawals and computes the new state. @throws InvalidBlockError */
export function finishBlock(execution: BlockExecution, withdrawals: readonly Withdrawal[]): BlockResult {
  const { config, context, state, receipts, innerParticipants, gasUsed, logsBloom } = execution;
  const requests = collectRequests(config, context, execution.logs);
  context.journal.beginTransaction();
  for (const { address, amountGwei } of withdrawals) {
    context.journal.addBalance(address, amountGwei * WEI_PER_GWEI);
  }
  const diff = computeStateDiff(context.journal.changes(), state);
  return { receipts, innerParticipants, gasUsed, logsBloom, requests, diff };
}

/** Deposits first, then exits: requests are in the order of their types (EIP-7685). */
function collectRequests(config: ChainConfig, context: BlockContext, logs: readonly Log[]): Uint8Array[] {
  const requests: Uint8Array[] = [];
  if (config.depositContract !== undefined) requests.push(...depositRequests(logs, config.depositContract));
  if (config.exitContract !== undefined) {
    const exits = systemCall(context, config.exitContract, EMPTY_BYTES);
    // EIP-7002: unlike the calls that open a block, this one may not be without code.
    if (exits === undefined) {
      throw new InvalidBlockError({ code: "BLOCK_SYSTEM_CONTRACT_MISSING", contract: config.exitContract });
    }
    if (exits.length > 0) requests.push(encodeRequest(EXIT_REQUEST_TYPE, exits));
  }
  return requests;
}

/**
 * Calls a system contract; its gas counts toward nothing. Undefined when there is no code, which EIP-4788 and
 * EIP-2935 pass over in silence.
 * @throws InvalidBlockError when the call fails.
 */
function systemCall(context: BlockContext, contract: Address, data: Uint8Array): Uint8Array | undefined {
  const { journal } = context;
  if (journal.code(contract).length === 0) return undefined;
  journal.beginTransaction();
  journal.touchAddress(contract);
  const { outcome, output } = executeMessage(
    { ...context, transaction: { origin: SYSTEM_ADDRESS, gasPrice: 0n } },
    {
      kind: "call",
      caller: SYSTEM_ADDRESS,
      self: contract,
      codeAddress: contract,
      value: 0n,
      data,
      gas: SYSTEM_CALL_GAS,
      isStatic: false,
      depth: 0,
      parent: undefined,
    },
  );
  if (outcome !== "success") {
    throw new InvalidBlockError({ code: "BLOCK_SYSTEM_CALL_FAILED", contract, outcome });
  }
  return output;
}
