/** Reads that run contract code or scan many blocks, as tasks that can cross threads. See specs/node/calls.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type {
  AccessListOutcome,
  AddressPage,
  AddressSearch,
  CallOutcome,
  CallRequest,
  FoundLogs,
  LogFilter,
  LogLimits,
  SimulatedBlockOutcome,
  SimulationOutcome,
  StateOverride,
  TraceOutcome,
  WitnessOutcome,
} from "../../rpc/chain-view.ts";
import { TransactionRejected } from "../../rpc/chain-view.ts";
import type { Header } from "../../vm/block.ts";
import type { AncestorHash } from "../../vm/block-execution.ts";
import { type CallResult, type CallSite, callState, executeCall } from "../../vm/call.ts";
import { createAccessList } from "../../vm/create-access-list.ts";
import { estimateGas } from "../../vm/estimate-gas.ts";
import type { ContractDescription, ContractMachine } from "../../vm/message.ts";
import { OUTCOME_TEXT } from "../../vm/outcome-text.ts";
import { recordCall } from "../../vm/record-call.ts";
import { type SimulatedBlock, type SimulationRequest, simulate } from "../../vm/simulate.ts";
import { SimulationError } from "../../vm/simulated-call.ts";
import type { StateReader } from "../../vm/state/account.ts";
import { createTracer } from "../../vm/tracing/create-tracer.ts";
import type { Trace, TraceRequest } from "../../vm/tracing/trace.ts";
import { type BlockToTrace, traceBlock } from "../../vm/tracing/trace-block.ts";
import { type RunSetting, traceLines } from "../../vm/tracing/trace-lines.ts";
import { InvalidTransactionError } from "../../vm/transaction-rules.ts";
import type { LogSearchRange } from "./find-logs.ts";
import { toRejection } from "./rejection.ts";

/** Gas a call may use unless a flag says otherwise: about what a block may. */
export const CALL_GAS_CAP = 30_000_000;

type CallKind = "call" | "estimateGas" | "accessList";

export type CallTask<K extends CallKind = CallKind> = {
  readonly kind: K;
  readonly request: CallRequest;
  readonly header: Header;
  readonly blockHash: Hash;
  readonly gasCap: number;
  readonly overrides: ReadonlyMap<Address, StateOverride>;
};

export type LogsTask = {
  readonly kind: "logs";
  readonly filter: LogFilter;
  readonly first: number;
  readonly last: number;
  readonly limits: LogLimits;
};

export type AddressTask = { readonly kind: "searchAddress"; readonly search: AddressSearch };

export type SimulateTask = Pick<CallTask, "header" | "blockHash" | "gasCap"> & {
  readonly kind: "simulate";
  readonly request: SimulationRequest;
};

export type TraceCallTask = Omit<CallTask, "kind"> & {
  readonly kind: "traceCall";
  readonly tracer: TraceRequest;
};

export type TraceBlockTask = BlockToTrace & { readonly kind: "traceBlock"; readonly tracer: TraceRequest };

/** What is at an address, as the contract there describes itself. */
export type DescribeTask = { readonly kind: "describe"; readonly code: Uint8Array };

export type WitnessTask = Omit<CallTask, "kind" | "overrides"> & { readonly kind: "witness" };

export type ReadTask =
  | WitnessTask
  | DescribeTask
  | CallTask
  | SimulateTask
  | TraceCallTask
  | TraceBlockTask
  | LogsTask
  | AddressTask;
export type GasEstimate = { readonly gas: bigint } | { readonly failed: CallOutcome };
type Results = {
  readonly witness: WitnessOutcome;
  readonly describe: ContractDescription | undefined;
  readonly call: CallOutcome;
  readonly estimateGas: GasEstimate;
  readonly accessList: AccessListOutcome;
  readonly simulate: SimulationOutcome;
  readonly traceCall: TraceOutcome;
  readonly traceBlock: readonly Trace[];
  readonly logs: FoundLogs;
  readonly searchAddress: AddressPage;
};
/** The result of each kind of task. */
export type ReadResult<T extends ReadTask> = Results[T["kind"]];

/** What a thread needs to carry out tasks. */
export type TaskSite = {
  readonly chainId: bigint;
  readonly machine: ContractMachine;
  /** Undefined when this thread has no access to the state after that block. */
  stateAt(blockHash: Hash): StateReader | undefined;
  ancestorHash(blockHash: Hash): AncestorHash;
  findLogs(filter: LogFilter, range: LogSearchRange): FoundLogs;
  searchAddress(search: AddressSearch): AddressPage;
};

/** The state of the task's block cannot be read by this thread. */
export class StateNotHere extends Error {
  override readonly name = "StateNotHere";
}

/** @throws StateNotHere */
export function runTask(task: ReadTask, site: TaskSite): Results[keyof Results] {
  if (task.kind === "describe") return site.machine.describe(task.code);
  if (task.kind === "logs") return site.findLogs(task.filter, task);
  if (task.kind === "searchAddress") return site.searchAddress(task.search);
  const blockHash = task.kind === "traceBlock" ? task.block.header.parentHash : task.blockHash;
  const state = site.stateAt(blockHash);
  if (state === undefined) throw new StateNotHere();
  const ancestorHash = site.ancestorHash(blockHash);
  const { chainId, machine } = site;
  if (task.kind === "traceBlock") {
    return traceBlock({ chainId, machine, state, ancestorHash }, task, task.tracer);
  }
  const callSite: CallSite = {
    chainId,
    machine,
    header: task.header,
    overrides: task.kind === "simulate" || task.kind === "witness" ? new Map() : task.overrides,
    state,
    ancestorHash,
  };
  if (task.kind === "simulate") return runSimulation(task, callSite);
  if (task.kind === "witness") return witness(task, callSite);
  try {
    return task.kind === "traceCall" ? traceCall(task, callSite) : runCall(task, callSite);
  } catch (error) {
    const refused = refusal(error);
    return task.kind === "call" ? refused : { failed: refused };
  }
}

/** @throws InvalidTransactionError when the call may not even begin. */
function traceCall(task: TraceCallTask, site: CallSite): TraceOutcome {
  const gasLimit = gasLimitOf(task);
  if (task.tracer.tracer === "jsTracer") {
    const { withTree } = task.tracer;
    const run = (setting: RunSetting) => executeCall(site, task.request, gasLimit, setting);
    return { trace: traceLines(callState(site), site.machine, run, withTree).trace };
  }
  const tracer = createTracer(task.tracer);
  const journal = tracer.begin(callState(site));
  const { gasUsed } = executeCall(site, task.request, gasLimit, { journal, machine: site.machine, tracer });
  return { trace: tracer.finish({ gasLimit, gasUsed }) };
}

/** A call that may not even begin read nothing that decides it: its witness proves nothing, and says so. */
function witness(task: WitnessTask, site: CallSite): WitnessOutcome {
  try {
    const { result, accounts, codes } = recordCall(site, task.request, gasLimitOf(task));
    return { call: toOutcome(result), accounts, codes };
  } catch (error) {
    return { call: refusal(error), accounts: [], codes: [] };
  }
}

function gasLimitOf({ request: { gas }, gasCap }: Pick<CallTask, "request" | "gasCap">): number {
  return gas === undefined || gas > BigInt(gasCap) ? gasCap : Number(gas);
}

/** @throws InvalidTransactionError when the call may not even begin. */
function runCall(task: CallTask, site: CallSite): Results[CallKind] {
  const { kind, request } = task;
  const gasLimit = gasLimitOf(task);
  switch (kind) {
    case "call":
      return toOutcome(executeCall(site, request, gasLimit));
    case "estimateGas": {
      const estimate = estimateGas(site, request, gasLimit);
      return "gas" in estimate ? { gas: BigInt(estimate.gas) } : { failed: toOutcome(estimate.failed) };
    }
    case "accessList": {
      const { accessList, result } = createAccessList(site, request, gasLimit);
      return { accessList, call: toOutcome(result) };
    }
  }
}

function runSimulation({ request, blockHash, gasCap }: SimulateTask, site: CallSite): SimulationOutcome {
  try {
    const blocks = simulate(site, blockHash, request, gasCap);
    return { blocks: blocks.map(toBlockOutcome) };
  } catch (error) {
    if (error instanceof SimulationError) {
      const { code, gas, available } = error.detail;
      return { failed: { rule: code, message: `block gas limit reached: gas ${gas}, left ${available}` } };
    }
    if (!(error instanceof InvalidTransactionError)) throw error;
    return { failed: { rule: error.detail.code, message: refusal(error).outcome } };
  }
}

function toBlockOutcome({ block, results }: SimulatedBlock): SimulatedBlockOutcome {
  return {
    block,
    results: results.map((result) => ({
      ...toOutcome(result),
      maxGasUsed: BigInt(result.gasSpent),
      logs: result.logs,
    })),
  };
}

function toOutcome({
  outcome,
  output,
  gasUsed,
}: Pick<CallResult, "outcome" | "output" | "gasUsed">): CallOutcome {
  const text = outcome === "success" || outcome === "revert" ? outcome : OUTCOME_TEXT[outcome];
  return { outcome: text, output, gasUsed: BigInt(gasUsed) };
}

/** A call that may not even begin fails with the text of the rule it breaks. */
function refusal(error: unknown): CallOutcome {
  const rejection = toRejection(error);
  if (!(rejection instanceof TransactionRejected)) throw error;
  return { outcome: rejection.message, output: new Uint8Array(0), gasUsed: 0n };
}
