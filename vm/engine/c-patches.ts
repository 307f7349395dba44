/** Three changes to QuickJS itself, and what the meter must know of its functions, found by the texts its functions refer to. specs/vm/engine/engine.md#changes-to-quickjs */
import { assert } from "../../primitives/errors.ts";
import { findText } from "./memory-layout.ts";
import { type FunctionBody, type ParsedModule, sectionData } from "./wasm-functions.ts";
import { type Instruction, OP, SECTION } from "./wasm-reader.ts";
import { isStore } from "./write-marks.ts";

/** What the rewriter has to do differently, by index of the function body. */
export type CPatches = {
  /** Functions that return at once. */
  readonly skipped: ReadonlySet<number>;
  /** Instructions (by function) before which the run ends with the reason `stack limit`. */
  readonly stackLimitTexts: readonly number[];
  /** Constants to write in place of others. */
  readonly constants: ReadonlyMap<Instruction, number>;
  /** Stores that are marked by a call: marked in place they would be too much for the compiler. */
  readonly coldStores: ReadonlySet<Instruction>;
};

/** Says that the stack is too deep, wherever QuickJS finds it so. A guest could catch what it throws then. */
const STACK_OVERFLOW = "stack overflow";
/** Part of every stack trace. Building them costs, and shows the guest the engine's insides. */
const STACK_TRACE_LINE = " (native)";
/** Thrown by `js_bigint_new`, whose limit counts 32-bit limbs: 2^20 bits as published. */
const BIGINT_TOO_LARGE = "BigInt is too large to allocate";
const PUBLISHED_LIMBS = 32_769;

/** A BigInt has at most this many bits, its sign included: the cost of an operation grows with their square. */
export const MAXIMUM_BIGINT_BITS = 65_536;

export function findCPatches(module: ParsedModule): CPatches {
  const traces = findFunctions(module, STACK_TRACE_LINE);
  assert(
    traces.length === 1 && traces[0]?.body.signature.results.length === 0,
    "one function builds stack traces",
  );
  const limits = findFunctions(module, BIGINT_TOO_LARGE).flatMap(({ body }) =>
    body.instructions.filter(({ op, immediate }) => op === OP.i32Const && immediate === PUBLISHED_LIMBS),
  );
  assert(limits.length === 1, "one function limits the size of a BigInt");
  return {
    skipped: new Set(traces.map(({ index }) => index)),
    stackLimitTexts: addressesOf(module, STACK_OVERFLOW),
    constants: new Map(limits.map((instruction) => [instruction, MAXIMUM_BIGINT_BITS / 32 + 1])),
    coldStores: findColdStores(module),
  };
}

/**
 * The interpreter, by far the largest function, has so many stores that with all marks in place V8 leaves it to its
 * second-best register allocator (8 192 values), whose frames have no useful bound. These, by their number in the
 * function, carried out 0.2 % of its stores of twelve programs: loops, objects, classes, closures, text, JSON, sorting.
 */
const COLD_INTERPRETER_STORES = [
  [37, 135],
  [144, 186],
  [232, 264],
  [431, 455],
] as const;
const INTERPRETER_STORES = 483;

function findColdStores(module: ParsedModule): Set<Instruction> {
  const interpreter = module.bodies.reduce((largest, body) =>
    body.instructions.length > largest.instructions.length ? body : largest,
  );
  const stores = interpreter.instructions.filter(isStore);
  assert(stores.length === INTERPRETER_STORES, "the interpreter is the function whose stores were counted");
  return new Set(COLD_INTERPRETER_STORES.flatMap(([first, end]) => stores.slice(first, end)));
}

function findFunctions(module: ParsedModule, text: string): { index: number; body: FunctionBody }[] {
  const addresses = addressesOf(module, text);
  return [...module.bodies.entries()]
    .filter(([, body]) =>
      body.instructions.some(({ op, immediate }) => op === OP.i32Const && addresses.includes(immediate)),
    )
    .map(([index, body]) => ({ index, body }));
}

function addressesOf(module: ParsedModule, text: string): number[] {
  const addresses = findText(sectionData(module.sections, SECTION.data), text);
  assert(addresses.length > 0, `QuickJS says "${text}"`);
  return addresses;
}
