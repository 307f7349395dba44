/** Runs a block's transactions again, watched. See specs/vm/tracing.md#blocks. */
import { assert, CodedError } from "../../primitives/errors.ts";
import type { Block, ExecutedReceipt } from "../block.ts";
import { type AncestorHash, blockEnvironment, makeOpeningCalls } from "../block-execution.ts";
import { type BlockContext, runTransaction, type TransactionResult } from "../execute-transaction.ts";
import type { ContractMachine } from "../message.ts";
import type { StateReader } from "../state/account.ts";
import { changedState } from "../state/changed-state.ts";
import { createJournal } from "../state/journal.ts";
import type { RecoveredTransaction } from "../transaction.ts";
import { createTracer } from "./create-tracer.ts";
import type { Trace, TraceRequest } from "./trace.ts";
import { type RunSetting, traceLines } from "./trace-lines.ts";

export type BlockTraceSite = {
  readonly chainId: bigint;
  readonly machine: ContractMachine;
  /** The state after the block's parent. */
  readonly state: StateReader;
  readonly ancestorHash: AncestorHash;
};

/** The second run was not the first: a fault of this node, of its state or of its machine. */
export class TraceError extends CodedError<{ readonly code: "TRACE_DIFFERS"; readonly index: number }> {}

/** What of a block to trace: one transaction, or all. */
export type BlockToTrace = {
  readonly block: Block;
  readonly receipts: readonly ExecutedReceipt[];
  readonly index: number | undefined;
};

/**
 * The rules of transactions are not checked again: the block is valid.
 * @throws TraceError
 */
export function traceBlock(
  site: BlockTraceSite,
  { block, receipts, index }: BlockToTrace,
  request: TraceRequest,
): readonly Trace[] {
  const { header, transactions } = block;
  const { baseFeePerGas, parentBeaconBlockRoot } = header;
  assert(baseFeePerGas !== undefined && parentBeaconBlockRoot !== undefined, "the block is valid");
  const environment = {
    machine: site.machine,
    block: blockEnvironment(site.chainId, { ...header, baseFeePerGas }, site.ancestorHash),
  };
  const traces: Trace[] = [];
  let { state } = site;
  const opening = createJournal(state);
  makeOpeningCalls({ ...environment, journal: opening }, { ...header, parentBeaconBlockRoot });
  state = changedState(state, opening.changes());
  for (const [at, transaction] of transactions.entries()) {
    const isWanted = index === undefined || index === at;
    const { journal, result, trace } = run(environment, state, transaction, isWanted ? request : undefined);
    if (!isAsReceipt(result, receipts[at])) throw new TraceError({ code: "TRACE_DIFFERS", index: at });
    if (trace !== undefined) traces.push(trace);
    if (at === index) break;
    state = changedState(state, journal.changes());
  }
  return traces;
}

/** The transaction as it was, and then with probes in what it runs. */
function runWithProbes(
  { block, machine }: Pick<BlockContext, "block" | "machine">,
  state: StateReader,
  recovered: RecoveredTransaction,
  withTree: boolean,
) {
  const run = (setting: RunSetting) => runTransaction({ block, ...setting }, recovered);
  return traceLines(state, machine, run, withTree);
}

function run(
  environment: Pick<BlockContext, "block" | "machine">,
  state: StateReader,
  recovered: RecoveredTransaction,
  request: TraceRequest | undefined,
) {
  if (request?.tracer === "jsTracer") return runWithProbes(environment, state, recovered, request.withTree);
  const tracer = request === undefined ? undefined : createTracer(request);
  const journal = tracer?.begin(state) ?? createJournal(state);
  const context = { ...environment, journal, ...(tracer !== undefined && { tracer }) };
  const result = runTransaction(context, recovered);
  const gasLimit = Number(recovered.transaction.gasLimit);
  return { journal, result, trace: tracer?.finish({ gasLimit, gasUsed: result.gasUsed }) };
}

function isAsReceipt(result: TransactionResult, receipt: ExecutedReceipt | undefined): boolean {
  return (
    receipt !== undefined &&
    receipt.succeeded === (result.outcome === "success") &&
    receipt.gasUsed === BigInt(result.gasUsed) &&
    receipt.logs.length === result.logs.length
  );
}
