/** Starts QuickJS, hardens it and evaluates chain:std: the way from an empty memory to the base snapshot. specs/vm/engine/engine.md#snapshots */
import { utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { PRELUDE_SOURCE } from "./harden.ts";
import { INITIAL_PAGES, STACK_LIMIT_BYTES } from "./image.ts";
import { Machine, type MachineHandles, type StackAccount } from "./machine.ts";
import type { BaseImage } from "./snapshot.ts";
import type { Pointer } from "./wasm-module.ts";

/** Addresses in the base snapshot, the same in every instance. */
export type GuestHandles = MachineHandles & {
  readonly undefinedValue: Pointer;
  /** Room for the addresses of MAXIMUM_ARGUMENTS arguments. */
  readonly argv: Pointer;
  readonly moduleName: Pointer;
  readonly describe: Pointer;
  readonly makeError: Pointer;
  readonly makeBigInt: Pointer;
  readonly entries: ReadonlyMap<string, Pointer>;
};

/** What a boot leaves: the memory that is the base of all snapshots, and where in it the engine finds its handles. */
export type Booted = { readonly handles: GuestHandles; readonly base: BaseImage };

/** Values an entry can be given. */
export const MAXIMUM_ARGUMENTS = 16;
export const EVALUATE_MODULE = 1;
const EVALUATE_STRICT_SCRIPT = 8;

/** All intrinsics quickjs-emscripten can choose but `Date`, so that `Date` does not even exist. */
const INTRINSICS = 0xfff & ~(1 << 1);

const STD_NAME = "chain:std";
/** Ticks for the boot. It takes about 60 M; the number only ends a broken `chain:std`. */
const BOOT_LIMITS = { maximumPages: INITIAL_PAGES, isEvaluation: false };
const BOOT_TICKS = 10_000_000_000;

/** @throws InvariantError when `std` does not evaluate or registers no entries. */
export function boot(module: WebAssembly.Module, account: StackAccount, std: string): Booted {
  const machine = new Machine(module, account);
  const refuseHost = (): never => assertNever("chain:std calls no host function while it is evaluated");
  const handles = machine.run(BOOT_TICKS, BOOT_LIMITS, refuseHost, () => new Boot(machine).run(std));
  assert(typeof handles !== "string", `the engine boots: ${String(handles)}`);
  return { handles, base: machine.takeBase() };
}

function assertNever(statement: string): never {
  assert(false, statement);
}

/** The boot has no budget. */
const unpaid = (): void => undefined;

class Boot {
  readonly #machine: Machine;
  #context: Pointer = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  run(std: string): GuestHandles {
    const { functions, guest } = this.#machine;
    functions.construct();
    const runtime = functions.newRuntime();
    functions.setMaxStackSize(runtime, STACK_LIMIT_BYTES);
    const context = functions.newContext(runtime, INTRINSICS);
    this.#context = context;
    const scratch = guest.allocateScratch();
    guest.attach(context, scratch);
    const argv = functions.malloc(4 * MAXIMUM_ARGUMENTS);
    const undefinedValue = functions.getUndefined();
    const moduleName = guest.newBytes(utf8ToBytes("contract"));

    const hostName = guest.newBytes(utf8ToBytes("host"));
    const host = functions.newFunction(context, hostName, 0, 0, 0);
    const makePrelude = this.#evaluate(PRELUDE_SOURCE, "prelude", EVALUATE_STRICT_SCRIPT);
    const prelude = this.#call(makePrelude, [host]);
    const namespace = this.#evaluate(std, STD_NAME, EVALUATE_MODULE);
    const entries = this.#readEntries(prelude);
    this.#call(this.#get(prelude, "seal"), [namespace]);
    assert(functions.isJobPending(runtime) === 0, "chain:std leaves no job pending");
    return {
      runtime,
      context,
      scratch,
      argv,
      undefinedValue,
      moduleName,
      describe: this.#get(prelude, "describe"),
      makeError: this.#get(prelude, "makeError"),
      makeBigInt: this.#get(prelude, "makeBigInt"),
      entries,
    };
  }

  #evaluate(source: string, name: string, flags: number): Pointer {
    const { functions, guest } = this.#machine;
    const bytes = utf8ToBytes(source);
    const code = guest.newBytes(bytes);
    const fileName = guest.newBytes(utf8ToBytes(name));
    const value = functions.evaluate(this.#context, code, bytes.length, fileName, 0, flags);
    functions.free(code);
    functions.free(fileName);
    return this.#checked(value);
  }

  #get(object: Pointer, key: string): Pointer {
    const { functions, guest } = this.#machine;
    return this.#checked(functions.getProperty(this.#context, object, guest.newString(key)));
  }

  #call(target: Pointer, values: readonly Pointer[]): Pointer {
    const { functions, guest } = this.#machine;
    const argv = functions.malloc(4 * MAXIMUM_ARGUMENTS);
    guest.writePointers(argv, values);
    return this.#checked(
      functions.call(this.#context, target, functions.getUndefined(), values.length, argv),
    );
  }

  /** The functions `chain:std` put into `engine.entries`. */
  #readEntries(prelude: Pointer): Map<string, Pointer> {
    const { guest } = this.#machine;
    const names = guest.readString(this.#call(this.#get(prelude, "entryNames"), []), unpaid).split(" ");
    const entries = this.#get(prelude, "entries");
    return new Map(names.map((name) => [name, this.#get(entries, name)]));
  }

  #checked(value: Pointer): Pointer {
    const { functions, guest } = this.#machine;
    if (!guest.isException(value)) return value;
    const error = functions.resolveException(this.#context, value);
    const message = functions.getProperty(this.#context, error, guest.newString("message"));
    assert(
      false,
      `the engine boots: ${guest.isString(message) ? guest.readString(message, unpaid) : "unknown error"}`,
    );
  }
}
