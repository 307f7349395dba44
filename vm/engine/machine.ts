/** One instance of the binary: its memory, limits and traps. Knows nothing of contracts. specs/vm/engine/engine.md#outcomes */
import { assert } from "../../primitives/errors.ts";
import { Guest } from "./guest.ts";
import { type GuestErrorReport, GuestException, type Halt, type Host, type HostArguments } from "./host.ts";
import { MEMORY_PAGES, STACK_LIMIT_BYTES, STACK_RESERVE_BYTES } from "./image.ts";
import { NodeFault } from "./node-fault.ts";
import type { Snapshot } from "./snapshot.ts";
import { type GuestFunctions, type GuestModule, instantiate, type Pointer } from "./wasm-module.ts";

/** Size of the shadow stack the binary was linked with: it lies between static data and heap. */
const SHADOW_STACK_BYTES = 5 * 1024 * 1024;
/** Where the C library keeps the end of the heap. Its initial value is the start of the heap. */
const HEAP_END_ADDRESS = 86_864;
/** Value of `stopReason` after QuickJS found its stack too deep. */
const STOP_STACK_LIMIT = 1;
/** Operation of the prelude's `describe`; all others are the contract's host functions. */
const OPERATION_REPORT = -1;

/** Ticks for work outside a run: never the limit of anything. */
const UNLIMITED_TICKS = 2 ** 52;

/** Stack a nested run costs its caller for the host's own frames between the two, in bytes. */
const NESTING_STACK_BYTES = 8 * 1024;
/** A nested run starts only with this much stack left. */
const MINIMUM_STACK_BYTES = 32 * 1024;

/** Stack in use by the runs that are in progress, outermost first; one for all machines of a thread. */
export type StackAccount = { usedBytes: number };

/** Addresses of what the boot created; the same in every machine. */
export type MachineHandles = {
  readonly runtime: Pointer;
  readonly context: Pointer;
  readonly scratch: Pointer;
};

/** Ends a run from inside an import; caught by `run`. */
class HaltSignal extends Error {
  readonly halt: Halt;

  constructor(halt: Halt) {
    super(halt);
    this.halt = halt;
  }
}

export class Machine {
  readonly guest: Guest;
  readonly functions: GuestFunctions;
  readonly #module: GuestModule;
  readonly #stackTop: number;
  readonly #account: StackAccount;
  readonly #arguments: GuestArguments;
  #handles: MachineHandles = { runtime: 0, context: 0, scratch: 0 };
  #host: Host | undefined;
  #makeError: ((error: GuestException) => Pointer) | undefined;
  #report: GuestErrorReport | undefined;
  /** A run that did not return left the stack pointer and the C state in the middle of something. */
  #needsRestore = false;

  constructor(module: WebAssembly.Module, account: StackAccount) {
    this.#module = instantiate(module, MEMORY_PAGES, {
      hostCall: (argumentCount, argv) => this.#onHostCall(argumentCount, argv),
      memoryExhausted: () => {
        throw new HaltSignal("out of memory");
      },
    });
    this.#account = account;
    this.functions = this.#module.functions;
    this.guest = new Guest(this.#module);
    this.#arguments = new GuestArguments(this.guest);
    this.#stackTop = this.#module.stackPointer.value;
    this.#resetGlobals();
    assert(this.#heapEnd() === this.#stackTop, "the heap of the engine binary starts at its stack's top");
  }

  attach(handles: MachineHandles, makeError: (error: GuestException) => Pointer): void {
    this.#handles = handles;
    this.#makeError = makeError;
    this.guest.attach(handles.context, handles.scratch);
  }

  get ticksLeft(): number {
    return this.functions.ticksLeft();
  }

  /** For host functions. Ends the run when the ticks do not suffice. */
  chargeTicks(ticks: number): void {
    const left = this.functions.ticksLeft() - ticks;
    this.functions.setTicks(left);
    if (left < 0) throw new HaltSignal("out of gas");
  }

  /**
   * Runs `action` with `ticks` and `host`, and tells how it ended when it did not return.
   *
   * @throws NodeFault when this machine is at fault; and whatever the host function threw to end the run.
   */
  run<T>(ticks: number, host: Host, action: () => T): T | Halt {
    assert(this.#host === undefined, "an instance runs one call at a time");
    assert(!this.#needsRestore, "an instance is restored after a run that did not return");
    const stackBytes = STACK_LIMIT_BYTES - this.#account.usedBytes;
    if (stackBytes < MINIMUM_STACK_BYTES) return "stack limit";
    this.#host = host;
    this.#needsRestore = true;
    try {
      this.#limitStack(stackBytes);
      this.functions.setTicks(ticks);
      const result = action();
      const left = this.functions.ticksLeft();
      this.#limitStack(STACK_LIMIT_BYTES);
      this.functions.setTicks(left);
      this.#needsRestore = false;
      return result;
    } catch (error) {
      return this.#haltOf(error);
    } finally {
      this.#host = undefined;
    }
  }

  /** What the guest's `describe` reported last. */
  takeReport(): GuestErrorReport | undefined {
    const report = this.#report;
    this.#report = undefined;
    return report;
  }

  takeSnapshot(): Snapshot {
    assert(!this.#needsRestore, "a snapshot is taken between runs");
    const { bytes } = this.guest;
    return {
      data: bytes.slice(0, this.#stackTop - SHADOW_STACK_BYTES),
      heap: bytes.slice(this.#stackTop, this.#heapEnd()),
    };
  }

  /** Puts the whole memory into the state of `snapshot`: what the last runs used beyond it is zeroed. */
  restore({ data, heap }: Snapshot): void {
    assert(this.#host === undefined, "an instance is restored between runs");
    const { bytes } = this.guest;
    const heapEnd = this.#heapEnd();
    bytes.set(data, 0);
    bytes.set(heap, this.#stackTop);
    if (heapEnd > this.#stackTop + heap.length) bytes.fill(0, this.#stackTop + heap.length, heapEnd);
    bytes.fill(0, this.#module.stackLow.value - STACK_RESERVE_BYTES, this.#stackTop);
    this.#resetGlobals();
    this.#needsRestore = false;
  }

  #resetGlobals(): void {
    const { stackPointer, stackLow, stackFloor, stopReason } = this.#module;
    stackPointer.value = this.#stackTop;
    stackLow.value = this.#stackTop;
    stackFloor.value = this.#stackTop - STACK_LIMIT_BYTES - STACK_RESERVE_BYTES;
    stopReason.value = 0;
    this.functions.setTicks(UNLIMITED_TICKS);
  }

  /** The outermost run has the whole limit, which the runtime was booted with. */
  #limitStack(stackBytes: number): void {
    if (this.#account.usedBytes === 0 || this.#handles.runtime === 0) return;
    this.functions.setTicks(UNLIMITED_TICKS);
    this.functions.setMaxStackSize(this.#handles.runtime, stackBytes);
    this.#module.stackFloor.value = this.#stackTop - stackBytes - STACK_RESERVE_BYTES;
  }

  #heapEnd(): number {
    return this.guest.words[HEAP_END_ADDRESS >> 2] ?? 0;
  }

  #haltOf(error: unknown): Halt {
    if (error instanceof HaltSignal) return error.halt;
    if (error instanceof RangeError) throw new NodeFault("the host ran out of stack", error);
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const { stackPointer, stackFloor, stopReason } = this.#module;
    if (stopReason.value === STOP_STACK_LIMIT || stackPointer.value < stackFloor.value) return "stack limit";
    if (this.functions.ticksLeft() < 0) return "out of gas";
    throw new NodeFault(`unexpected trap: ${error.message}`, error);
  }

  #onHostCall(argumentCount: number, argv: Pointer): Pointer {
    const args = this.#arguments;
    args.begin(argumentCount, argv);
    const operation = args.int(-1);
    if (operation === OPERATION_REPORT) {
      const payload = args.isUndefined(2) ? undefined : args.text(2);
      this.#report = { name: args.text(0), message: args.text(1), payload };
      return 0;
    }
    assert(this.#host !== undefined, "the guest runs only inside a run");
    const stackBefore = this.#account.usedBytes;
    this.#account.usedBytes += this.#stackTop - this.#module.stackPointer.value + NESTING_STACK_BYTES;
    try {
      const value = this.#host(operation, args);
      return value === undefined ? 0 : this.guest.newValue(value);
    } catch (error) {
      if (!(error instanceof GuestException) || this.#makeError === undefined) throw error;
      return this.#throwInGuest(this.#makeError(error));
    } finally {
      this.#account.usedBytes = stackBefore;
    }
  }

  #throwInGuest(thrown: Pointer): Pointer {
    const { context } = this.#handles;
    // Making the error may itself have failed; then that is already what the guest sees thrown.
    if (this.guest.isException(thrown)) return thrown;
    const exception = this.functions.throwValue(context, thrown);
    this.functions.freeValue(context, thrown);
    return exception;
  }
}

const VALUE_BYTES = 8;

/** Reads host call arguments where they lie. Reused for every call of its machine. */
class GuestArguments implements HostArguments {
  readonly #guest: Guest;
  #argv: Pointer = 0;
  length = 0;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  /** `argv[0]` is the operation, which therefore is argument -1. */
  begin(argumentCount: number, argv: Pointer): void {
    this.length = argumentCount - 1;
    this.#argv = argv + VALUE_BYTES;
  }

  int(index: number): number {
    const value = index < this.length ? this.#guest.readNumber(this.#argv + VALUE_BYTES * index) : undefined;
    if (Number.isSafeInteger(value)) return value as number;
    throw new GuestException("TypeError", `host argument ${index} is not an integer`);
  }

  text(index: number): string {
    const address = this.#argv + VALUE_BYTES * index;
    if (index < this.length && this.#guest.isString(address)) return this.#guest.readString(address);
    throw new GuestException("TypeError", `host argument ${index} is not a string`);
  }

  isUndefined(index: number): boolean {
    return index >= this.length || this.#guest.isUndefined(this.#argv + VALUE_BYTES * index);
  }
}
