/** Blocks of calls that build on each other and leave no trace. See specs/vm/execute-block.md#simulation. */
import { type Address, EMPTY_BYTES, type Hash, ZERO_HASH } from "../primitives/bytes.ts";
import { WEI_PER_GWEI } from "../primitives/units.ts";
import { nextBaseFee } from "./base-fee.ts";
import type { Block, ExecutedReceipt, Header, Log, Withdrawal } from "./block.ts";
import { blockEnvironment, makeOpeningCalls } from "./block-execution.ts";
import {
  computeReceiptsRoot,
  computeRequestsHash,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "./block-roots.ts";
import type { CallSite } from "./call.ts";
import type { BlockContext, TransactionResult } from "./execute-transaction.ts";
import { headerHash, PROOF_OF_STAKE_FIELDS, UNPROPOSED_FIELDS, ZERO_BLOOM } from "./header.ts";
import type { ContractMachine } from "./message.ts";
import { computeLogsBloom, mergeBloom } from "./receipt.ts";
import { runSimulatedCall, type SimulatedCall } from "./simulated-call.ts";
import type { StateReader } from "./state/account.ts";
import { changedState } from "./state/changed-state.ts";
import { createJournal } from "./state/journal.ts";
import { type AccountOverride, overrideState } from "./state/override.ts";
import type { RecoveredTransaction } from "./transaction.ts";
import { isTransferLog, noteTransfers } from "./transfer-logs.ts";

/** A block to simulate. What is undefined is as in the block before, or zero where that has no meaning. */
export type SimulatedBlockPlan = Pick<Header, "number" | "timestamp"> & {
  readonly feeRecipient: Address | undefined;
  readonly prevRandao: Hash | undefined;
  readonly gasLimit: bigint | undefined;
  readonly baseFeePerGas: bigint | undefined;
  readonly withdrawals: readonly Withdrawal[];
  readonly overrides: ReadonlyMap<Address, AccountOverride>;
  /** Where precompiles are called, by where they were before this block: moved ones, and null for removed ones. */
  readonly movedPrecompiles: ReadonlyMap<Address, Address | null>;
  readonly calls: readonly SimulatedCall[];
};

export type SimulationRequest = {
  /** In ascending order of number, without a gap, from the block after the site's. */
  readonly blocks: readonly SimulatedBlockPlan[];
  /** Whether nonces, the base fee and funds for gas are as strict as in a real block. */
  readonly validation: boolean;
  /** Whether moved value shows as logs. */
  readonly traceTransfers: boolean;
};

export type SimulatedResult = Pick<TransactionResult, "outcome" | "output" | "gasUsed" | "gasSpent"> & {
  /** Those of moved value too, when they were asked for. */
  readonly logs: readonly Log[];
};

export type SimulatedBlock = { readonly block: Block; readonly results: readonly SimulatedResult[] };

/** Gas of all calls together. */
type Budget = { gasLeft: number };

type Previous = {
  readonly header: Header;
  readonly hash: Hash;
  readonly state: StateReader;
  readonly machine: ContractMachine;
};

/**
 * Runs the blocks one after the other on the state of `site`, whose header is the parent of the first.
 *
 * @param hash of the site's block.
 * @param gasCap gas of all calls together; one that asks for more gets what is left.
 * @throws InvalidTransactionError when a call may not even begin, SimulationError when it exceeds its block.
 */
export function simulate(
  site: CallSite,
  hash: Hash,
  request: SimulationRequest,
  gasCap: number,
): readonly SimulatedBlock[] {
  const budget: Budget = { gasLeft: gasCap };
  const simulated: SimulatedBlock[] = [];
  let previous: Previous = { header: site.header, hash, state: site.state, machine: site.machine };
  const ancestorHash = (number: number) => {
    if (number === site.header.number) return hash;
    return simulated[number - site.header.number - 1]?.block.hash ?? site.ancestorHash(number);
  };
  for (const plan of request.blocks) {
    const machine = withMovedPrecompiles(previous.machine, plan.movedPrecompiles);
    const opening = openingOf(plan, previous, request.validation);
    const journal = createJournal(overrideState(previous.state, plan.overrides));
    const context: BlockContext = {
      block: blockEnvironment(site.chainId, opening, ancestorHash),
      journal,
      machine,
      ...(request.traceTransfers && { onTransfer: noteTransfers(journal) }),
    };
    makeOpeningCalls(context, opening);
    const run = runCalls(context, plan.calls, request.validation, budget);
    payWithdrawals(context, plan.withdrawals);
    const block = sealBlock(opening, plan.withdrawals, run);
    simulated.push({ block, results: run.results });
    const state = changedState(overrideState(previous.state, plan.overrides), journal.changes());
    previous = { header: block.header, hash: block.hash, state, machine };
  }
  return simulated;
}

type Opening = ReturnType<typeof openingOf>;

function openingOf(plan: SimulatedBlockPlan, { header, hash }: Previous, validation: boolean) {
  const baseFee = validation ? nextBaseFee(header) : 0n;
  return {
    ...PROOF_OF_STAKE_FIELDS,
    ...UNPROPOSED_FIELDS,
    parentHash: hash,
    number: plan.number,
    timestamp: plan.timestamp,
    feeRecipient: plan.feeRecipient ?? header.feeRecipient,
    prevRandao: plan.prevRandao ?? ZERO_HASH,
    gasLimit: plan.gasLimit ?? header.gasLimit,
    baseFeePerGas: plan.baseFeePerGas ?? baseFee,
  };
}

function withMovedPrecompiles(
  machine: ContractMachine,
  moved: SimulatedBlockPlan["movedPrecompiles"],
): ContractMachine {
  if (moved.size === 0) return machine;
  const precompiles = new Map(machine.precompiles);
  for (const from of moved.keys()) precompiles.delete(from);
  for (const [from, to] of moved) {
    const precompile = machine.precompiles.get(from);
    if (to !== null && precompile !== undefined) precompiles.set(to, precompile);
  }
  return {
    precompiles,
    loadGas: (journal, address, gasLimit) => machine.loadGas(journal, address, gasLimit),
    call: (frame) => machine.call(frame),
    create: (frame) => machine.create(frame),
    describe: (code) => machine.describe(code),
    openProbed(spare) {
      const { machine: probed, recorder } = machine.openProbed(spare);
      return { machine: withMovedPrecompiles(probed, moved), recorder };
    },
  };
}

type CallsRun = {
  readonly transactions: RecoveredTransaction[];
  readonly receipts: ExecutedReceipt[];
  readonly results: SimulatedResult[];
  readonly logsBloom: Uint8Array;
  gasUsed: bigint;
};

/** @throws InvalidTransactionError, SimulationError */
function runCalls(
  context: BlockContext,
  calls: readonly SimulatedCall[],
  validation: boolean,
  budget: Budget,
): CallsRun {
  const run: CallsRun = {
    transactions: [],
    receipts: [],
    results: [],
    logsBloom: ZERO_BLOOM.slice(),
    gasUsed: 0n,
  };
  for (const call of calls) {
    const available = context.block.gasLimit - run.gasUsed;
    const { recovered, result } = runSimulatedCall(context, call, { available, validation, ...budget });
    budget.gasLeft -= result.gasUsed;
    run.gasUsed += BigInt(result.gasUsed);
    const logs = result.logs.filter((log) => !isTransferLog(log));
    const logsBloom = computeLogsBloom(logs);
    mergeBloom(run.logsBloom, logsBloom);
    run.receipts.push({
      type: recovered.transaction.type,
      succeeded: result.outcome === "success",
      cumulativeGasUsed: run.gasUsed,
      logsBloom,
      logs,
      gasUsed: BigInt(result.gasUsed),
      effectiveGasPrice: result.effectiveGasPrice,
    });
    run.transactions.push(recovered);
    const { outcome, output, gasUsed, gasSpent } = result;
    run.results.push({ outcome, output, gasUsed, gasSpent, logs: result.logs });
  }
  return run;
}

function payWithdrawals({ journal }: BlockContext, withdrawals: readonly Withdrawal[]): void {
  journal.beginTransaction();
  for (const { address, amountGwei } of withdrawals) journal.addBalance(address, amountGwei * WEI_PER_GWEI);
}

/** The state root is left zero: who simulates has no tries. */
function sealBlock(opening: Opening, withdrawals: readonly Withdrawal[], run: CallsRun): Block {
  const { transactions, receipts, gasUsed, logsBloom } = run;
  const header: Header = {
    ...opening,
    extraData: EMPTY_BYTES,
    stateRoot: ZERO_HASH,
    transactionsRoot: computeTransactionsRoot(transactions.map(({ raw }) => raw)),
    receiptsRoot: computeReceiptsRoot(receipts),
    withdrawalsRoot: computeWithdrawalsRoot(withdrawals),
    requestsHash: computeRequestsHash([]),
    logsBloom,
    gasUsed,
  };
  return { hash: headerHash(header), header, transactions, withdrawals };
}
