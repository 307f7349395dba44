/** The part of the WebAssembly JavaScript interface the engine uses; the DOM library that declares it is not loaded. */
declare namespace WebAssembly {
  class Module {
    constructor(binary: Uint8Array);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    constructor(limits: { initial: number; maximum: number });
    /** Detaches `buffer`. */
    grow(pages: number): number;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
  }
  class Global {
    value: number;
  }
  /** A trap. */
  class RuntimeError extends Error {}
}
