/** Traced runs. Prose: tracing.md. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { create2Address, createAddress } from "../../primitives/address.ts";
import {
  type Address,
  bytesToUtf8,
  EMPTY_BYTES,
  fromHex,
  toHash,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { blockEnvironment } from "../../vm/block-execution.ts";
import { executeMessage } from "../../vm/execute-message.ts";
import { type BlockContext, runTransaction } from "../../vm/execute-transaction.ts";
import type { Frame, MessageKind, MessageResult, Outcome } from "../../vm/message.ts";
import { createJournal } from "../../vm/state/journal.ts";
import { createTracer } from "../../vm/tracing/create-tracer.ts";
import type { TraceRequest as AnyTraceRequest, CallFrame, Trace } from "../../vm/tracing/trace.ts";
import { traceBlock } from "../../vm/tracing/trace-block.ts";
import {
  accounts,
  ETHER,
  ExecutionChain,
  feeRecipient,
  fundedAllocation,
  GWEI,
  signed,
} from "../support/execution-chain.ts";
import { end, ScriptedMachine } from "../support/scripted-machine.ts";

type TraceRequest = Exclude<AnyTraceRequest, { tracer: "jsTracer" }>;

/** What a contract of these specs does is its call data. */
type Step =
  | { readonly store: number; readonly value: number }
  | { readonly log: number }
  | { readonly send: MessageKind; readonly to: number; readonly value: number; readonly program: Program };
type Program = { readonly steps: readonly Step[]; readonly end: Outcome };

const CODE = fromHex("0xef4a5303");
const CONTRACTS: readonly Address[] = [`0x${"c0".repeat(20)}`, `0x${"c1".repeat(20)}`];
const FRAME_GAS = 100;

function play(frame: Frame): MessageResult {
  const { steps, end: outcome } = frame.kind === "create" ? NOTHING : programOf(frame.data);
  const { journal } = frame.context;
  let gasLeft = frame.gas - FRAME_GAS;
  if (gasLeft < 0) return end("out of gas", 0);
  for (const step of steps) {
    if ("store" in step) journal.setStorage(frame.self, toHash(BigInt(step.store)), BigInt(step.value));
    else if ("log" in step)
      journal.addLog({ address: frame.self, topics: [toHash(BigInt(step.log))], data: EMPTY_BYTES });
    else gasLeft -= send(frame, step, gasLeft);
  }
  return end(outcome, gasLeft, outcome === "revert" ? Uint8Array.of(1, 2) : EMPTY_BYTES);
}

const NOTHING: Program = { steps: [], end: "success" };
const programOf = (data: Uint8Array) =>
  data.length === 0 ? NOTHING : (JSON.parse(bytesToUtf8(data)) as Program);
const dataOf = (program: Program) => utf8ToBytes(JSON.stringify(program));

/** Gas the message used. */
function send(
  frame: Frame,
  { send: kind, to, value, program }: Extract<Step, { send: unknown }>,
  gasLeft: number,
): number {
  const gas = Math.floor(gasLeft / 2);
  const isCreation = kind === "create";
  const target = isCreation
    ? createAddress(frame.self, frame.context.journal.nonce(frame.self))
    : CONTRACTS[to]!;
  const { gasLeft: rest } = executeMessage(frame.context, {
    kind,
    caller: kind === "delegatecall" ? frame.caller : frame.self,
    self: kind === "delegatecall" ? frame.self : target,
    codeAddress: target,
    value: kind === "delegatecall" ? frame.value : kind === "staticcall" ? 0n : BigInt(value),
    data: isCreation ? CODE : dataOf(program),
    gas,
    isStatic: false,
    depth: frame.depth + 1,
    parent: frame,
  });
  return gas - rest;
}

const allocation = fundedAllocation(
  new Map(
    CONTRACTS.map((address) => [
      address,
      { balance: 50n, nonce: 1n, code: CODE, storage: new Map([[toHash(7n), 7n]]) },
    ]),
  ),
);
const chainOf = () => new ExecutionChain(allocation, new ScriptedMachine().add(CODE, play));
const transactionOf = (program: Program, more = {}) =>
  signed(0, { to: CONTRACTS[0], gasLimit: 200_000n, value: 3n, data: dataOf(program), ...more });

/** Runs the program in one transaction, watched or not: result, changes, and the trace. */
function run(program: Program, request?: TraceRequest) {
  const { input } = chainOf();
  const tracer = request === undefined ? undefined : createTracer(request);
  const journal = tracer?.begin(input.state) ?? createJournal(input.state);
  const header = { ...input.parent, feeRecipient, baseFeePerGas: GWEI };
  const context: BlockContext = {
    block: blockEnvironment(4242n, header, input.ancestorHash),
    journal,
    machine: input.machine,
    ...(tracer !== undefined && { tracer }),
  };
  const result = runTransaction(context, transactionOf(program));
  const trace = tracer?.finish({ gasLimit: 200_000, gasUsed: result.gasUsed });
  return { result, changes: journal.changes(), trace };
}

const CALLS: TraceRequest = { tracer: "callTracer", onlyTopCall: false, withLog: true };
const PRESTATE: TraceRequest = { tracer: "prestateTracer", diffMode: false };
const DIFFERENCE: TraceRequest = { tracer: "prestateTracer", diffMode: true };

function framesOf(trace: Trace | undefined): CallFrame {
  if (trace?.kind !== "calls") throw new Error("no call trace");
  return trace.frame;
}

const outcomes = fc.constantFrom<Outcome>("success", "success", "success", "revert", "out of gas");
const { program: programs } = fc.letrec<{ program: Program; step: Step }>((tie) => ({
  program: fc.record({ steps: fc.array(tie("step"), { maxLength: 4 }), end: outcomes }),
  step: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({ store: fc.nat(9), value: fc.nat(3) }),
    fc.record({ log: fc.nat(9) }),
    fc.record({
      send: fc.constantFrom<MessageKind>("call", "staticcall", "delegatecall", "create"),
      to: fc.nat(1),
      value: fc.nat(60),
      program: tie("program"),
    }),
  ),
}));

describe("tracing", () => {
  it("changes nothing: every run ends as it would unwatched", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { result, changes } = run(program);
        for (const request of [CALLS, PRESTATE, DIFFERENCE]) {
          const traced = run(program, request);
          deepEqual([traced.result, traced.changes], [result, changes]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("accounts for all gas and all logs of every run", () => {
    const logsOf = (frame: CallFrame): number[] => [
      ...frame.logs.map(({ index }) => index),
      ...frame.calls.flatMap(logsOf),
    ];
    const check = (frame: CallFrame): void => {
      for (const call of frame.calls) check(call);
      equal(frame.calls.reduce((sum, call) => sum + call.gasUsed, 0) <= frame.gasUsed, true);
      equal(frame.gasUsed <= frame.gas, true);
    };
    fc.assert(
      fc.property(programs, (program) => {
        const { result, trace } = run(program, CALLS);
        const frame = framesOf(trace);
        deepEqual([frame.gas, frame.gasUsed, frame.outcome], [200_000, result.gasUsed, result.outcome]);
        check(frame);
        deepEqual(
          logsOf(frame).sort((a, b) => a - b),
          result.logs.map((_, index) => index),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe("callTracer", () => {
  const leaf: Program = { steps: [], end: "success" };
  const message = (send: MessageKind, to: number, program = leaf, value = 0): Step => ({
    send,
    to,
    value,
    program,
  });

  it("shows who sent each message to whom, and how it ended", () => {
    const program: Program = {
      steps: [
        message(
          "call",
          1,
          { steps: [message("delegatecall", 0), message("staticcall", 0)], end: "success" },
          2,
        ),
        message("create", 0),
        message("call", 1, { steps: [], end: "revert" }),
        message("call", 1, leaf, 1_000_000),
      ],
      end: "success",
    };
    const [self, other] = CONTRACTS as [Address, Address];
    const shown = (frame: CallFrame): unknown => [
      frame.type,
      frame.from,
      frame.to,
      frame.value,
      frame.outcome,
      ...(frame.calls.length === 0 ? [] : [frame.calls.map(shown)]),
    ];
    deepEqual(shown(framesOf(run(program, CALLS).trace)), [
      ...["CALL", accounts[0], self, 3n, "success"],
      [
        [
          "CALL",
          self,
          other,
          2n,
          "success",
          [
            ["DELEGATECALL", other, self, 2n, "success"],
            ["STATICCALL", other, self, undefined, "success"],
          ],
        ],
        ["CREATE", self, createAddress(self, 1n), 0n, "success"],
        ["CALL", self, other, 0n, "revert"],
        ["CALL", self, other, 1_000_000n, "insufficient balance"],
      ],
    ]);
  });

  it("tells CREATE2 by its address", () => {
    const { input } = chainOf();
    const tracer = createTracer(CALLS);
    const journal = tracer.begin(input.state);
    const block = blockEnvironment(1n, { ...input.parent, baseFeePerGas: 1n }, input.ancestorHash);
    const transaction = { origin: accounts[0]!, gasPrice: 1n };
    const self = create2Address(CONTRACTS[0]!, toHash(5n), keccak256Hex(CODE));
    executeMessage(
      { block, journal, machine: input.machine, transaction, tracer },
      {
        kind: "create",
        caller: CONTRACTS[0]!,
        self,
        codeAddress: self,
        value: 0n,
        data: CODE,
        gas: 9_000,
        isStatic: false,
        depth: 1,
        parent: undefined,
      },
    );
    const frame = framesOf(tracer.finish({ gasLimit: 9_000, gasUsed: 100 }));
    deepEqual([frame.type, frame.to, frame.output], ["CREATE2", self, CODE]);
  });

  it("leaves out logs that a failure took back, and calls when only the top is wanted", () => {
    const program: Program = {
      steps: [
        { log: 1 },
        message("call", 1, {
          steps: [{ log: 2 }, message("call", 0, { steps: [{ log: 3 }], end: "success" })],
          end: "revert",
        }),
        message("call", 1, { steps: [{ log: 4 }], end: "success" }),
        { log: 5 },
      ],
      end: "success",
    };
    const frame = framesOf(run(program, CALLS).trace);
    const logs = ({ logs: made }: CallFrame) =>
      made.map(({ topics, index, position }) => [BigInt(topics[0]!), index, position]);
    deepEqual(logs(frame), [
      [1n, 0, 0],
      [5n, 2, 2],
    ]);
    deepEqual(frame.calls.map(logs), [[], [[4n, 1, 0]]]);
    deepEqual(frame.calls[0]!.calls.map(logs), [[]]);
    deepEqual(
      framesOf(run(program, { tracer: "callTracer", onlyTopCall: true, withLog: false }).trace).calls,
      [],
    );
  });
});

describe("prestateTracer", () => {
  const program: Program = {
    steps: [
      { store: 7, value: 0 },
      { store: 1, value: 9 },
      { send: "call", to: 1, value: 0, program: { steps: [{ store: 7, value: 8 }], end: "revert" } },
      { send: "create", to: 0, value: 4, program: NOTHING },
    ],
    end: "success",
  };
  const created = createAddress(CONTRACTS[0]!, 1n);
  const [self, other] = CONTRACTS as [Address, Address];

  it("shows all that the run looked at, as it was", () => {
    const { trace } = run(program, PRESTATE);
    if (trace?.kind !== "prestate") throw new Error("another trace");
    deepEqual([...trace.accounts.keys()].sort(), [accounts[0]!, self, other, created, feeRecipient].sort());
    deepEqual(trace.accounts.get(accounts[0]!), { balance: 100n * ETHER, storage: new Map() });
    deepEqual(trace.accounts.get(self), {
      ...{ balance: 50n, nonce: 1n, code: CODE },
      storage: new Map([
        [toHash(7n), 7n],
        [toHash(1n), 0n],
      ]),
    });
    deepEqual(trace.accounts.get(other)?.storage, new Map([[toHash(7n), 7n]]), "though it was taken back");
    deepEqual(trace.accounts.get(created), { balance: 0n, storage: new Map() });
  });

  it("shows in diffMode what the run changed", () => {
    const { trace, result } = run(program, DIFFERENCE);
    if (trace?.kind !== "difference") throw new Error("another trace");
    const paid = BigInt(result.gasUsed) * result.effectiveGasPrice + 3n;
    deepEqual([...trace.before.keys()].sort(), [accounts[0]!, self, feeRecipient].sort());
    deepEqual(trace.before.get(self), {
      ...{ balance: 50n, nonce: 1n, code: CODE },
      storage: new Map([[toHash(7n), 7n]]),
    });
    deepEqual(trace.after.get(self), { balance: 49n, nonce: 2n, storage: new Map([[toHash(1n), 9n]]) });
    deepEqual(trace.after.get(accounts[0]!), { balance: 100n * ETHER - paid, nonce: 1n, storage: new Map() });
    deepEqual(trace.after.get(created), { balance: 4n, nonce: 1n, code: CODE, storage: new Map() });
    deepEqual([trace.before.has(other), trace.after.has(other)], [false, false]);
  });
});

describe("traced blocks", () => {
  const chain = chainOf();
  const store = (value: number): Program => ({ steps: [{ store: 1, value }], end: "success" });
  const { block, receipts } = chain.build(
    [0n, 1n, 2n].map((nonce) => transactionOf(store(Number(nonce) + 1), { nonce })),
  );
  const { state, machine, ancestorHash } = chain.input;
  const site = { chainId: 4242n, machine, state, ancestorHash };

  it("trace each transaction on the state its predecessors left", () => {
    const traces = traceBlock(site, { block, receipts, index: undefined }, DIFFERENCE);
    const changes = traces.map((trace) =>
      trace.kind === "difference"
        ? [trace.before, trace.after].map((part) => part.get(CONTRACTS[0]!)?.storage.get(toHash(1n)))
        : [],
    );
    deepEqual(changes, [
      [undefined, 1n],
      [1n, 2n],
      [2n, 3n],
    ]);
    deepEqual(traceBlock(site, { block, receipts, index: 1 }, DIFFERENCE), [traces[1]]);
  });

  it("are refused when they end otherwise than their receipts say", () => {
    const others = receipts.map((receipt, at) =>
      at === 1 ? { ...receipt, gasUsed: receipt.gasUsed + 1n } : receipt,
    );
    throws(() => traceBlock(site, { block, receipts: others, index: 2 }, CALLS), {
      detail: { code: "TRACE_DIFFERS", index: 1 },
    });
  });
});
