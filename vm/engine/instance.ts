/** One instance of the engine: runs a contract's module and its entries. specs/vm/engine/engine.md#outcomes */
import { utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { EVALUATE_MODULE, type GuestHandles, MAXIMUM_ARGUMENTS } from "./boot.ts";
import type { GuestErrorReport, GuestException, GuestValue, Host, RunResult } from "./host.ts";
import { INITIAL_PAGES, MAXIMUM_PAGES } from "./image.ts";
import { Machine, type RunLimits, type StackAccount } from "./machine.ts";
import type { Snapshot } from "./snapshot.ts";
import { TEXT_TICKS_PER_CHARACTER } from "./tick-cost.ts";
import type { Pointer } from "./wasm-module.ts";

/** The entry that receives the default export of a module. */
const DEFINE_ENTRY = "define";

const PENDING_JOB: GuestErrorReport = {
  name: "TypeError",
  message: "a contract is synchronous: a promise is pending at its return",
  payload: undefined,
};

const EVALUATION: RunLimits = { maximumPages: INITIAL_PAGES, isEvaluation: true };
const CALL: RunLimits = { maximumPages: MAXIMUM_PAGES, isEvaluation: false };

/** What an action inside a run produced. Strings are the machine's halts, so results are objects. */
type Returned = { readonly value: string | undefined } | { readonly error: GuestErrorReport };

/** Create through Engine.createInstance. Runs one call at a time; a host function may use other instances. */
export class EngineInstance {
  readonly #module: WebAssembly.Module;
  readonly #account: StackAccount;
  readonly #handles: GuestHandles;
  #machine: Machine;

  constructor(module: WebAssembly.Module, account: StackAccount, handles: GuestHandles) {
    this.#module = module;
    this.#account = account;
    this.#handles = handles;
    this.#machine = this.#newMachine();
  }

  /** Whether a run that begins now, perhaps inside others, would not end with `stack limit` at once. */
  get hasRoom(): boolean {
    return this.#machine.hasRoom;
  }

  /** Ticks left in the run in progress; for host functions. */
  get ticksLeft(): number {
    return this.#machine.ticksLeft;
  }

  /** Takes ticks from the run in progress, and ends it when they do not suffice; for host functions. */
  chargeTicks(ticks: number): void {
    this.#machine.chargeTicks(ticks);
  }

  /** Puts the instance into the state of `snapshot`. ~20 µs; 1 ms after a run whose memory grew. */
  restore(snapshot: Snapshot): void {
    if (this.#machine.hasGrown) this.#machine = this.#newMachine();
    this.#machine.restore(snapshot);
  }

  /** The state between two runs, to be restored into this or another instance. */
  takeSnapshot(): Snapshot {
    return this.#machine.takeSnapshot();
  }

  /**
   * Evaluates an ES module, which may import `chain:std` only, and hands its default export to the entry
   * `define`; the value is what that returns. All within the initial memory, so that the snapshot of its
   * result can be restored.
   *
   * @throws NodeFault; and what `host` threw to end the run.
   */
  evaluateModule(source: string, ticks: number, host: Host): RunResult {
    return this.#run(ticks, EVALUATION, host, () => {
      const { functions, guest } = this.#machine;
      const { context, moduleName } = this.#handles;
      const bytes = utf8ToBytes(source);
      const code = guest.newBytes(bytes);
      const namespace = functions.evaluate(context, code, bytes.length, moduleName, 0, EVALUATE_MODULE);
      functions.free(code);
      if (guest.isException(namespace)) return { error: this.#describe(namespace) };
      if (functions.promiseState(context, namespace) >= 0) return { error: PENDING_JOB };
      const key = guest.newString("default");
      const contract = functions.getProperty(context, namespace, key);
      functions.freeValue(context, key);
      functions.freeValue(context, namespace);
      if (guest.isException(contract)) return { error: this.#describe(contract) };
      return this.#callEntry(DEFINE_ENTRY, [contract]);
    });
  }

  /**
   * Calls an entry `chain:std` registered, with at most MAXIMUM_ARGUMENTS values.
   *
   * @throws NodeFault; and what `host` threw to end the run.
   */
  call(
    entry: string,
    values: GuestValue | readonly GuestValue[] | undefined,
    ticks: number,
    host: Host,
  ): RunResult {
    const list = values === undefined ? [] : typeof values === "object" ? values : [values];
    assert(list.length <= MAXIMUM_ARGUMENTS, "an entry is given no more values than there is room for");
    return this.#run(ticks, CALL, host, () =>
      this.#callEntry(
        entry,
        list.map((value) => this.#machine.newValue(value)),
      ),
    );
  }

  #newMachine(): Machine {
    const machine = new Machine(this.#module, this.#account);
    machine.attach(this.#handles, {
      makeError: (error) => this.#makeError(error),
      makeBigInt: (bits) => this.#invoke(this.#handles.makeBigInt, [machine.newValue(bits)]),
    });
    return machine;
  }

  #run(ticks: number, limits: RunLimits, host: Host, action: () => Returned): RunResult {
    assert(Number.isSafeInteger(ticks) && ticks >= 0, "ticks are a whole number below 2^53");
    const returned = this.#machine.run(ticks, limits, host, action);
    const ticksUsed = ticks - Math.max(0, this.#machine.ticksLeft);
    if (typeof returned === "string") return { outcome: returned, ticksUsed };
    if ("error" in returned) return { outcome: "exception", ...returned.error, ticksUsed };
    return { outcome: "ok", value: returned.value, ticksUsed };
  }

  /** Takes over `values`. */
  #callEntry(entry: string, values: readonly Pointer[]): Returned {
    const { functions, guest } = this.#machine;
    const { context, runtime, entries } = this.#handles;
    const target = entries.get(entry);
    assert(target !== undefined, `chain:std registered the entry ${entry}`);
    const result = this.#invoke(target, values);
    if (guest.isException(result)) return { error: this.#describe(result) };
    const value = guest.isString(result) ? this.#readText(result) : undefined;
    assert(
      value !== undefined || guest.isUndefined(result),
      `the entry ${entry} returns a string or nothing`,
    );
    functions.freeValue(context, result);
    return functions.isJobPending(runtime) === 0 ? { value } : { error: PENDING_JOB };
  }

  #readText(value: Pointer): string {
    return this.#machine.guest.readString(value, (characters) =>
      this.#machine.chargeTicks(TEXT_TICKS_PER_CHARACTER * characters),
    );
  }

  /** Calls a guest function and frees the arguments. */
  #invoke(target: Pointer, values: readonly Pointer[]): Pointer {
    const { functions, guest } = this.#machine;
    const { context, undefinedValue, argv } = this.#handles;
    guest.writePointers(argv, values);
    const result = functions.call(context, target, undefinedValue, values.length, argv);
    for (const value of values) functions.freeValue(context, value);
    return result;
  }

  #describe(exception: Pointer): GuestErrorReport {
    const { functions } = this.#machine;
    const { context, describe } = this.#handles;
    const thrown = functions.resolveException(context, exception);
    functions.freeValue(context, this.#invoke(describe, [thrown]));
    functions.freeValue(context, exception);
    return this.#machine.takeReport() ?? { name: "Error", message: "", payload: undefined };
  }

  #makeError({ name, message, payload }: GuestException): Pointer {
    const texts = payload === undefined ? [name, message] : [name, message, payload];
    return this.#invoke(
      this.#handles.makeError,
      texts.map((text) => this.#machine.newValue(text)),
    );
  }
}
