/** One instance of the binary: its memory, limits and traps. Knows nothing of contracts. specs/vm/engine/engine.md#outcomes */
import { assert } from "../../primitives/errors.ts";
import { STOP_STACK_LIMIT } from "./body-rewriter.ts";
import { Guest } from "./guest.ts";
import {
  type GuestErrorReport,
  GuestException,
  type GuestValue,
  type Halt,
  HaltSignal,
  type Host,
} from "./host.ts";
import { GuestArguments, OPERATION_INDEX } from "./host-arguments.ts";
import { INITIAL_PAGES, PAGE_BYTES, STACK_LIMIT_BYTES, STACK_RESERVE_BYTES } from "./image.ts";
import { DATA_END, HEAP_END_ADDRESS, STACK_TOP } from "./memory-layout.ts";
import { NodeFault } from "./node-fault.ts";
import { type BaseImage, baseImage, type Snapshot, snapshotOf } from "./snapshot.ts";
import { GROWTH_TICKS, GROWTH_TICKS_PER_PAGE, TEXT_TICKS_PER_CHARACTER } from "./tick-cost.ts";
import { type GuestFunctions, type GuestModule, instantiate, type Pointer } from "./wasm-module.ts";
import { areMarksSpoilt, changedPages, restoreAll, restoreWritten } from "./written-pages.ts";

/** Operation of the prelude's `describe`; all others are the contract's host functions. */
const OPERATION_REPORT = -1;

/** Ticks for work outside a run: never the limit of anything. */
const UNLIMITED_TICKS = 2 ** 52;

/** Stack a nested run costs its caller for the host's own frames between the two, in bytes. */
const NESTING_STACK_BYTES = 8 * 1024;
/**
 * A run starts only with this much stack left, and an evaluation never gets more: nodes that have lost a
 * contract's snapshot evaluate it again in the middle of other runs, and must come to the same result.
 */
const EVALUATION_STACK_BYTES = 128 * 1024;

/** The memory grows by this many pages at least, 1 MiB. */
const MINIMUM_GROWTH_PAGES = 16;

/** Stack in use by the runs that are in progress, outermost first; one for all machines of a thread. */
export type StackAccount = { usedBytes: number };

/** Guest functions of the prelude that make what the C interface cannot. */
export type GuestMakers = {
  makeError(error: GuestException): Pointer;
  /** 2^bits. */
  makeBigInt(bits: number): Pointer;
};

export type RunLimits = {
  /** How far the memory may grow. */
  readonly maximumPages: number;
  /** Whether the run evaluates a module: then its stack is the same wherever it happens. */
  readonly isEvaluation: boolean;
};

/** Addresses of what the boot created; the same in every machine. */
export type MachineHandles = {
  readonly runtime: Pointer;
  readonly context: Pointer;
  readonly scratch: Pointer;
};

export class Machine {
  readonly guest: Guest;
  readonly functions: GuestFunctions;
  readonly #module: GuestModule;
  readonly #account: StackAccount;
  readonly #arguments: GuestArguments;
  #handles: MachineHandles = { runtime: 0, context: 0, scratch: 0 };
  #host: Host | undefined;
  #maximumPages = INITIAL_PAGES;
  #stackBytes = STACK_LIMIT_BYTES;
  #makers: GuestMakers | undefined;
  #report: GuestErrorReport | undefined;
  /** A run that did not return left the stack pointer and the C state in the middle of something. */
  #needsRestore = false;
  /** What the memory holds, but for the pages that are marked; undefined before the first restore. */
  #held: Snapshot | undefined;

  constructor(module: WebAssembly.Module, account: StackAccount) {
    this.#module = instantiate(module, {
      hostCall: (argumentCount, argv) => this.#onHostCall(argumentCount, argv),
      growMemory: (bytes) => this.#growMemory(bytes),
      aborted: () => halt("trap"),
    });
    this.#account = account;
    this.functions = this.#module.functions;
    this.guest = new Guest(this.#module);
    this.#arguments = new GuestArguments(this.guest, (ticks) => this.chargeTicks(ticks));
    this.#resetGlobals();
  }

  attach(handles: MachineHandles, makers: GuestMakers): void {
    this.#handles = handles;
    this.#makers = makers;
    this.guest.attach(handles.context, handles.scratch);
  }

  get ticksLeft(): number {
    return this.functions.ticksLeft();
  }

  /** Whether a run that begins now has the stack a run needs at least. */
  get hasRoom(): boolean {
    return STACK_LIMIT_BYTES - this.#account.usedBytes >= EVALUATION_STACK_BYTES;
  }

  /** For host functions. Ends the run when the ticks do not suffice. */
  chargeTicks(ticks: number): void {
    const left = this.functions.ticksLeft() - ticks;
    this.functions.setTicks(left);
    if (left < 0) halt("out of gas");
  }

  /**
   * Runs `action` with `ticks`, within `limits`, and with `host`; tells how it ended when it did not return.
   *
   * @throws NodeFault when the host ran out of stack; and whatever the host function threw to end the run.
   */
  run<T>(ticks: number, limits: RunLimits, host: Host, action: () => T): T | Halt {
    assert(this.#host === undefined, "an instance runs one call at a time");
    assert(!this.#needsRestore, "an instance is restored after a run that did not return");
    this.functions.setTicks(ticks);
    if (!this.hasRoom) return "stack limit";
    const stackBytes = STACK_LIMIT_BYTES - this.#account.usedBytes;
    this.#host = host;
    this.#maximumPages = limits.maximumPages;
    this.#needsRestore = true;
    try {
      this.#limitStack(limits.isEvaluation ? EVALUATION_STACK_BYTES : stackBytes);
      this.functions.setTicks(ticks);
      const result = action();
      const left = this.functions.ticksLeft();
      // The code after the last check may have taken more than was left.
      if (left < 0) return "out of gas";
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

  /**
   * Copies a value into the guest. The C interface makes no BigInts: the guest makes one with as many limbs, which
   * is then written over, since nobody has seen it yet.
   */
  newValue(value: GuestValue): Pointer {
    if (typeof value === "string") this.chargeTicks(TEXT_TICKS_PER_CHARACTER * value.length);
    if (typeof value !== "bigint") return this.guest.newValue(value);
    const limbs = limbsOf(value);
    if (limbs.length === 1) return this.guest.newShortBigInt(limbs[0] ?? 0);
    assert(this.#makers !== undefined, "BigInts are made after the boot");
    const made = this.#makers.makeBigInt(LIMB_BITS * (limbs.length - 1));
    if (!this.guest.isException(made)) this.guest.overwriteBigInt(made, limbs);
    return made;
  }

  /** What the guest's `describe` reported last. */
  takeReport(): GuestErrorReport | undefined {
    const report = this.#report;
    this.#report = undefined;
    return report;
  }

  takeSnapshot(): Snapshot {
    assert(!this.#needsRestore && !this.hasGrown, "a snapshot is taken between runs, and not once grown");
    assert(this.#held !== undefined, "a snapshot is told by what differs from the base");
    const { bytes, words } = this.guest;
    return snapshotOf(this.#held.base, words, changedPages(bytes, this.#held));
  }

  /** What the boot left, to which snapshots are compared. */
  takeBase(): BaseImage {
    assert(this.#held === undefined && !this.hasGrown, "the base is taken after the boot");
    const { bytes, words } = this.guest;
    return baseImage(bytes.slice(0, DATA_END), bytes.slice(STACK_TOP, words[HEAP_END_ADDRESS >> 2] ?? 0));
  }

  /** After its memory has grown a machine is of no more use: a memory cannot shrink, and its size shows. */
  get hasGrown(): boolean {
    return this.guest.bytes.length > INITIAL_PAGES * PAGE_BYTES;
  }

  /**
   * Puts the whole memory into the state of `snapshot`. The binary marks every page it writes, whatever the guest has
   * done to QuickJS: one that has taken over its own memory leaves nothing behind for the next.
   */
  restore(snapshot: Snapshot): void {
    assert(
      this.#host === undefined && !this.hasGrown,
      "a machine is restored between runs, and not once grown",
    );
    const { bytes, words } = this.guest;
    if (this.#held === undefined || areMarksSpoilt(bytes)) restoreAll(bytes, words, snapshot);
    else restoreWritten(bytes, words, this.#held, snapshot);
    this.#held = snapshot;
    this.#resetGlobals();
    this.#needsRestore = false;
  }

  #resetGlobals(): void {
    const { stackPointer, stackFloor, stopReason } = this.#module;
    stackPointer.value = STACK_TOP;
    stackFloor.value = STACK_TOP - STACK_LIMIT_BYTES - STACK_RESERVE_BYTES;
    stopReason.value = 0;
    this.#stackBytes = STACK_LIMIT_BYTES;
    this.functions.setTicks(UNLIMITED_TICKS);
  }

  /** The outermost call has the whole limit, which the runtime was booted with. */
  #limitStack(stackBytes: number): void {
    if (stackBytes === this.#stackBytes || this.#handles.runtime === 0) return;
    this.#stackBytes = stackBytes;
    this.functions.setTicks(UNLIMITED_TICKS);
    this.functions.setMaxStackSize(this.#handles.runtime, stackBytes);
    this.#module.stackFloor.value = STACK_TOP - stackBytes - STACK_RESERVE_BYTES;
  }

  #growMemory(bytes: number): void {
    const pages = this.guest.bytes.length / PAGE_BYTES;
    const needed = Math.ceil(bytes / PAGE_BYTES);
    if (needed > this.#maximumPages) halt("out of memory");
    const grown = Math.min(this.#maximumPages, Math.max(needed, pages + MINIMUM_GROWTH_PAGES));
    this.chargeTicks((this.hasGrown ? 0 : GROWTH_TICKS) + GROWTH_TICKS_PER_PAGE * (grown - pages));
    this.guest.grow(grown - pages);
  }

  #haltOf(error: unknown): Halt {
    if (error instanceof HaltSignal) return error.halt;
    if (error instanceof RangeError) throw new NodeFault("the host ran out of its own stack", error);
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const { stackPointer, stackFloor, stopReason } = this.#module;
    if (stopReason.value === STOP_STACK_LIMIT || stackPointer.value < stackFloor.value) return "stack limit";
    return this.functions.ticksLeft() < 0 ? "out of gas" : "trap";
  }

  #onHostCall(argumentCount: number, argv: Pointer): Pointer {
    const stackBefore = this.#account.usedBytes;
    this.#account.usedBytes += STACK_TOP - this.#module.stackPointer.value + NESTING_STACK_BYTES;
    try {
      this.#arguments.begin(argumentCount, argv);
      const value = this.#answer(this.#arguments.int(OPERATION_INDEX));
      return value === undefined ? 0 : this.newValue(value);
    } catch (error) {
      if (!(error instanceof GuestException) || this.#makers === undefined) throw error;
      return this.#throwInGuest(this.#makers.makeError(error));
    } finally {
      this.#account.usedBytes = stackBefore;
    }
  }

  #answer(operation: number): GuestValue | undefined {
    const args = this.#arguments;
    assert(this.#host !== undefined, "the guest runs only inside a run");
    if (operation !== OPERATION_REPORT) return this.#host(operation, args);
    const payload = args.isUndefined(2) ? undefined : args.text(2);
    this.#report = { name: args.text(0), message: args.text(1), payload };
    return undefined;
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

const LIMB_BITS = 32;

const pair = new BigInt64Array(1);
const pairLimbs = new Int32Array(pair.buffer);

/** Two's complement in as few limbs as it takes, the lowest first. Taken from the value two at a time. */
function limbsOf(value: bigint): number[] {
  const limbs: number[] = [];
  for (let rest = value; ; rest >>= 64n) {
    pair[0] = rest;
    const [low = 0, high = 0] = pairLimbs;
    limbs.push(low);
    const isLast = rest === pair[0];
    if (!isLast || high !== low >> 31) limbs.push(high);
    if (isLast) return limbs;
  }
}

function halt(reason: Halt): never {
  throw new HaltSignal(reason);
}
