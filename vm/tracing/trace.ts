/** What tracers find out, as plain data. See specs/vm/tracing.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Log } from "../block.ts";
import type { Outcome } from "../message.ts";

/** Which tracer, and how it is set. */
export type TraceRequest =
  | { readonly tracer: "callTracer"; readonly onlyTopCall: boolean; readonly withLog: boolean }
  | { readonly tracer: "prestateTracer"; readonly diffMode: boolean }
  | { readonly tracer: "jsTracer"; readonly withTree: boolean };

export type CallKind = "CALL" | "STATICCALL" | "DELEGATECALL" | "CREATE" | "CREATE2";

/** A log with its index in the transaction, and how many sub-calls its frame had made before it. */
export type TracedLog = Log & { readonly index: number; readonly position: number };

/** One message. */
export type CallFrame = {
  readonly type: CallKind;
  readonly from: Address;
  readonly to: Address;
  /** Wei; undefined in a static call. */
  readonly value: bigint | undefined;
  readonly gas: number;
  readonly gasUsed: number;
  readonly input: Uint8Array;
  /** Of a creation that succeeded: the code. */
  readonly output: Uint8Array;
  readonly outcome: Outcome;
  readonly calls: readonly CallFrame[];
  /** Of a frame that succeeded, as all frames around it did. */
  readonly logs: readonly TracedLog[];
};

/** An account, or those of its fields that matter. */
export type TracedAccount = {
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly storage: ReadonlyMap<Hash, bigint>;
};
export type TracedAccounts = ReadonlyMap<Address, TracedAccount>;

/** A place in a contract's source, by the hash of that source. Lines count from 1, columns from 0. */
export type SourcePlace = { readonly source: Hash; readonly line: number; readonly column: number };

/** A function that was open, and where in it the run was. */
export type StackFrame = SourcePlace & { readonly address: Address; readonly functionName: string };

export type ConsoleLine = {
  readonly address: Address;
  readonly text: string;
  /** Undefined outside of every function. */
  readonly at: StackFrame | undefined;
};

/** What a line took without the functions it called, and how often it ran. */
export type LineGas = SourcePlace & { readonly gas: number; readonly hits: number };

/** A line on a way from the outermost message; its gas is its own. */
export type TreeLine = SourcePlace & {
  readonly functionName: string;
  /** Index of the line that called this one's function; undefined at the top. */
  readonly parent: number | undefined;
  readonly gas: number;
};

export type LineTrace = {
  readonly kind: "lines";
  /** Of the run itself, not of the traced copy. */
  readonly gasUsed: number;
  readonly outcome: Outcome;
  readonly output: Uint8Array;
  /** JavaScript of the containers that ran, by its hash. */
  readonly sources: ReadonlyMap<Hash, string>;
  readonly lines: readonly LineGas[];
  /** Gas that is of no line: intrinsic gas, loading contracts, decoding arguments, less the refund. */
  readonly otherGas: number;
  /** Of a run that failed in a contract's code: the innermost function first. */
  readonly stack: readonly StackFrame[];
  readonly console: readonly ConsoleLine[];
  /** Empty unless it was asked for. */
  readonly tree: readonly TreeLine[];
};

/** The copy with probes did something else: it read its gas or its own source, or went as deep as it could. */
export type RefusedTrace = { readonly kind: "refused"; readonly difference: string };

export type Trace =
  | RefusedTrace
  | LineTrace
  | { readonly kind: "calls"; readonly frame: CallFrame }
  /** Everything the run looked at, as it was before. */
  | { readonly kind: "prestate"; readonly accounts: TracedAccounts }
  /** What the run changed: accounts as they were, and their changed fields as they are after it. */
  | { readonly kind: "difference"; readonly before: TracedAccounts; readonly after: TracedAccounts };
