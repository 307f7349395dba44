/** A contract machine whose contracts are functions of the spec, found by their code bytes. */
import { EMPTY_BYTES, toHex } from "../../primitives/bytes.ts";
import type { ContractMachine, Frame, MessageResult, Outcome, Precompile } from "../../vm/message.ts";
import { LineRecorder } from "../../vm/tracing/line-recorder.ts";
import { ProbedSources } from "../../vm/tracing/probed-sources.ts";

const FREE = { statement: 0, enter: 0, leave: 0, thrown: 0 };

export type Script = (frame: Frame) => MessageResult;

export class ScriptedMachine implements ContractMachine {
  readonly precompiles = new Map<`0x${string}`, Precompile>();
  readonly #scripts = new Map<string, Script>();

  /** `script` runs for code that is exactly these bytes, and as constructor for data that begins with them. */
  add(code: Uint8Array, script: Script): this {
    this.#scripts.set(toHex(code), script);
    return this;
  }

  /** Scripts need not be loaded. */
  loadGas(): number {
    return 0;
  }

  call(frame: Frame): MessageResult {
    return this.#scripts.get(toHex(frame.code))?.(frame) ?? end("invalid container", 0);
  }

  create(frame: Frame): MessageResult {
    const code = toHex(frame.data);
    const script = this.#scripts.get(code);
    if (script === undefined) return end("invalid container", 0);
    return { ...script(frame), code: frame.data };
  }

  describe(): undefined {
    return undefined;
  }

  /** Scripts have no lines. */
  openProbed(): { machine: ContractMachine; recorder: LineRecorder } {
    return { machine: this, recorder: new LineRecorder(new ProbedSources(), FREE, 0) };
  }
}

/** A result without output. */
export function end(outcome: Outcome, gasLeft: number, output: Uint8Array = EMPTY_BYTES): MessageResult {
  return { outcome, output, gasLeft };
}
