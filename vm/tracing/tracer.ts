/** One watcher of one transaction or call. See specs/vm/tracing.md. */
import type { MessageTracer } from "../message.ts";
import type { StateReader } from "../state/account.ts";
import type { BlockJournal } from "../state/journal.ts";
import type { Trace } from "./trace.ts";

/** Gas of the whole transaction: what it may use, and what it pays for. */
export type TracedGas = { readonly gasLimit: number; readonly gasUsed: number };

export interface Tracer extends MessageTracer {
  /** The journal for the run, on the state before it. Called once, first. */
  begin(state: StateReader): BlockJournal;
  /** Called once, when the run has ended. */
  finish(gas: TracedGas): Trace;
}
