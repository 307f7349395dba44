/** The engine's binary as a typed object: its minified names spelled out, and imports that give it nothing. specs/vm/engine/engine.md#loader */
import { INITIAL_PAGES, MAXIMUM_PAGES } from "./image.ts";
import { markWritten } from "./written-pages.ts";

/** Address of a QuickJS object, a C string or a `JSValue` in the guest's memory; 0 is NULL. */
export type Pointer = number;

/** The exported functions the loader uses, under the names of quickjs-emscripten's C interface. */
const FUNCTION_NAMES = {
  construct: "u",
  malloc: "v",
  free: "M",
  throwValue: "w",
  setMaxStackSize: "D",
  getUndefined: "E",
  newRuntime: "K",
  newContext: "N",
  freeValue: "P",
  newString: "_",
  isJobPending: "fa",
  getProperty: "ha",
  call: "ma",
  resolveException: "na",
  evaluate: "pa",
  promiseState: "wa",
  newFunction: "Da",
  ticksLeft: "ticksLeft",
  setTicks: "setTicks",
} as const;

type FunctionName = keyof typeof FUNCTION_NAMES;
export type GuestFunctions = { readonly [name in FunctionName]: (...args: number[]) => number };

export type GuestModule = {
  readonly functions: GuestFunctions;
  readonly memory: WebAssembly.Memory;
  readonly stackPointer: WebAssembly.Global;
  readonly stackFloor: WebAssembly.Global;
  readonly stopReason: WebAssembly.Global;
};

/** What the binary may ask of its host that has an effect. */
export type GuestImports = {
  /** The one host function: arguments at `argv`, 8 bytes each; returns a `JSValue` the guest will free. */
  hostCall(argumentCount: number, argv: Pointer): Pointer;
  /** The heap is full: the memory must grow to `bytes`. Must throw when it cannot. */
  growMemory(bytes: number): void;
  /** The C code gave up: a failed assertion, abort or exit. Must throw. */
  aborted(): never;
};

/**
 * Instantiates the metered binary. Clocks stand at zero, the time zone is UTC, the environment is empty,
 * and nothing is written anywhere.
 */
export function instantiate(module: WebAssembly.Module, imports: GuestImports): GuestModule {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const instance = new WebAssembly.Instance(module, { a: { a: memory, ...closedImports(memory, imports) } });
  const exported = (name: string): unknown => instance.exports[name];
  const functions = Object.fromEntries(
    Object.entries(FUNCTION_NAMES).map(([name, minified]) => [name, exported(minified)]),
  ) as unknown as GuestFunctions;
  return {
    functions,
    memory,
    stackPointer: exported("stackPointer") as WebAssembly.Global,
    stackFloor: exported("stackFloor") as WebAssembly.Global,
    stopReason: exported("stopReason") as WebAssembly.Global,
  };
}

const ERRNO_BADF = 8;

function closedImports(memory: WebAssembly.Memory, imports: GuestImports): Record<string, unknown> {
  const zero = (...addresses: Pointer[]): number => {
    const words = new Uint32Array(memory.buffer);
    for (const address of addresses) {
      words[address >>> 2] = 0;
      markWritten(new Uint8Array(memory.buffer), (address >>> 2) << 2, 4);
    }
    return 0;
  };
  return {
    b: imports.aborted, // assertion failed
    q: imports.aborted, // abort
    r: imports.aborted, // exit
    m: imports.aborted, // local time: Date does not exist
    n: imports.aborted, // time zone: Date does not exist
    s: (_context: Pointer, _thisValue: Pointer, argumentCount: number, argv: Pointer) =>
      imports.hostCall(argumentCount, argv),
    k: (bytes: number) => {
      imports.growMemory(bytes >>> 0);
      return 1;
    },
    p: () => 0, // date_now
    f: zero, // environ_sizes_get
    e: () => 0, // environ_get
    c: () => ERRNO_BADF, // fd_write
    d: () => ERRNO_BADF, // fd_close
    o: () => ERRNO_BADF, // fd_seek
    j: () => 0, // setitimer
    l: () => undefined, // keepalive
    i: () => 0, // interrupt handler: never enabled
    h: () => 0, // module loader: never enabled
    g: () => 0, // module name normalizer: never enabled
    t: () => undefined, // a host reference was freed: there are none
  };
}
