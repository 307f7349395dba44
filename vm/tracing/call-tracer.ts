/** The tree of messages of a run. See specs/vm/tracing.md#calltracer. */
import { createAddress } from "../../primitives/address.ts";
import { assert } from "../../primitives/errors.ts";
import type { Message, MessageResult } from "../message.ts";
import type { StateReader } from "../state/account.ts";
import { type BlockJournal, createJournal } from "../state/journal.ts";
import type { CallFrame, CallKind, Trace, TracedLog, TraceRequest } from "./trace.ts";
import type { TracedGas, Tracer } from "./tracer.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<Omit<CallFrame, "calls" | "logs">> & {
  readonly calls: Draft[];
  readonly logs: TracedLog[];
};

type Settings = Omit<Extract<TraceRequest, { tracer: "callTracer" }>, "tracer">;

export class CallTracer implements Tracer {
  readonly #settings: Settings;
  /** Frames that run now, the outermost first. */
  readonly #open: Draft[] = [];
  #journal: BlockJournal | undefined;
  #root: Draft | undefined;
  /** Logs of the journal that some frame has already. */
  #claimedLogs = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  begin(state: StateReader): BlockJournal {
    this.#journal = createJournal(state);
    return this.#journal;
  }

  onEnter(message: Message): void {
    this.#claimLogs();
    const frame = draftOf(message, this.#kindOf(message));
    this.#root ??= frame;
    if (!this.#settings.onlyTopCall) this.#open.at(-1)?.calls.push(frame);
    this.#open.push(frame);
  }

  onExit({ outcome, output, gasLeft, code }: MessageResult): void {
    this.#claimLogs();
    const frame = this.#open.pop();
    assert(frame !== undefined, "a message that ends has begun");
    frame.outcome = outcome;
    frame.output = code ?? output;
    frame.gasUsed = frame.gas - gasLeft;
    if (outcome !== "success") dropLogs(frame);
  }

  finish({ gasLimit, gasUsed }: TracedGas): Trace {
    assert(this.#root !== undefined, "a run has an outermost message");
    return { kind: "calls", frame: { ...this.#root, gas: gasLimit, gasUsed } };
  }

  #kindOf({ kind, caller, self, depth }: Message): CallKind {
    if (kind !== "create") return CALL_KINDS[kind];
    const nonce = this.#journal?.nonce(caller) ?? 0n;
    // The nonce of a contract rises after this; that of a transaction's sender rose before.
    return depth === 0 || createAddress(caller, nonce) === self ? "CREATE" : "CREATE2";
  }

  /** Logs since the last look are of the frame that runs now; what a failure took back is gone from the journal. */
  #claimLogs(): void {
    const logs = this.#journal?.logs() ?? [];
    const frame = this.#open.at(-1);
    if (this.#settings.withLog && frame !== undefined) {
      for (const [offset, log] of logs.slice(this.#claimedLogs).entries()) {
        frame.logs.push({ ...log, index: this.#claimedLogs + offset, position: frame.calls.length });
      }
    }
    this.#claimedLogs = logs.length;
  }
}

const CALL_KINDS = { call: "CALL", staticcall: "STATICCALL", delegatecall: "DELEGATECALL" } as const;

function draftOf({ kind, caller, self, codeAddress, value, gas, data }: Message, type: CallKind): Draft {
  return {
    type,
    // Whose code sent it: in a delegate call `caller` is who called that.
    from: kind === "delegatecall" ? self : caller,
    to: codeAddress,
    value: kind === "staticcall" ? undefined : value,
    gas,
    gasUsed: 0,
    input: data,
    output: NOTHING,
    outcome: "success",
    calls: [],
    logs: [],
  };
}

const NOTHING = new Uint8Array(0);

function dropLogs(frame: Draft): void {
  frame.logs.length = 0;
  for (const call of frame.calls) dropLogs(call);
}
