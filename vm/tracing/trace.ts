/** What tracers find out, as plain data. See specs/vm/tracing.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Log } from "../block.ts";
import type { Outcome } from "../message.ts";

/** Which tracer, and how it is set. */
export type TraceRequest =
  | { readonly tracer: "callTracer"; readonly onlyTopCall: boolean; readonly withLog: boolean }
  | { readonly tracer: "prestateTracer"; readonly diffMode: boolean };

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

export type Trace =
  | { readonly kind: "calls"; readonly frame: CallFrame }
  /** Everything the run looked at, as it was before. */
  | { readonly kind: "prestate"; readonly accounts: TracedAccounts }
  /** What the run changed: accounts as they were, and their changed fields as they are after it. */
  | { readonly kind: "difference"; readonly before: TracedAccounts; readonly after: TracedAccounts };
