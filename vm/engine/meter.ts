/** Rewrites the engine's binary so that it counts ticks and its stack. specs/vm/engine/engine.md#the-binary */
import { assert } from "../../primitives/errors.ts";
import { type Charge, computeCharges, type Granularity } from "./block-charges.ts";
import { computeRecursiveFrameBounds } from "./frame-bounds.ts";
import { addedFunctions, type MeterLayout } from "./meter-runtime.ts";
import { findText } from "./wasm-data.ts";
import {
  type FunctionBody,
  type ParsedModule,
  parseModule,
  type Signature,
  sectionData,
} from "./wasm-functions.ts";
import { BULK, ByteReader, type Instruction, OP, SECTION } from "./wasm-reader.ts";
import { assemble, ByteWriter, writeI32, writeIndexed } from "./wasm-writer.ts";

const I32 = 0x7f;
const I64 = 0x7e;
const MUTABLE = 1;
const EXPORT_FUNCTION = 0;
const EXPORT_GLOBAL = 3;

/** Global 0 of the binary, as LLVM lays it out: the shadow stack pointer. */
export const STACK_POINTER = 0;

/** QuickJS says this wherever it finds its stack too deep. Saying it ends the run: no guest may catch it. */
const STACK_OVERFLOW_TEXT = "stack overflow";
/** Value of the global `stopReason` after such an end. */
export const STOP_STACK_LIMIT = 1;

/**
 * The metered binary: same behaviour, plus ticks, stack accounting and the exports of `meter-runtime.ts`.
 * A pure function of its input; ~0.2 s for the engine.
 */
export function meter(binary: Uint8Array, granularity: Granularity = "block"): Uint8Array {
  const module = parseModule(binary);
  const layout = layOut(module);
  const signatures = [...module.signatures];
  const typeOf = (signature: Signature): number => indexOfSignature(signatures, signature);
  const added = addedFunctions(layout);
  const addedTypes = added.map((item) => typeOf(item.signature));
  const frameBounds = computeRecursiveFrameBounds(module);

  const code = new ByteWriter(4 * module.code.length);
  code.u32(module.bodies.length + added.length);
  for (const [index, body] of module.bodies.entries()) {
    code.sized(new BodyRewriter(module.code, layout, body, frameBounds[index] ?? 0).rewrite(granularity));
  }
  for (const item of added) code.sized(item.body);

  const replaced = new Map<number, Uint8Array>([
    [SECTION.type, writeSignatures(signatures)],
    [
      SECTION.function,
      extendVector(
        module,
        SECTION.function,
        addedTypes.map((type) => assemble((out) => out.u32(type))),
      ),
    ],
    [SECTION.global, extendVector(module, SECTION.global, NEW_GLOBALS)],
    [SECTION.export, extendVector(module, SECTION.export, newExports(layout, added))],
    [SECTION.code, code.finish()],
  ]);
  const out = new ByteWriter(4 * binary.length);
  out.append(binary.subarray(0, 8));
  for (const { id, data } of module.sections) {
    out.u8(id);
    out.sized(replaced.get(id) ?? data);
  }
  return out.finish().slice();
}

/**
 * ticks (i64), stackLow, stackFloor, stopReason (i32), all mutable. An instance sets them before it runs
 * anything; until then 2^30 - 1 ticks cover the start function of the binary.
 */
const NEW_GLOBALS = [
  Uint8Array.of(I64, MUTABLE, 0x42, 0xff, 0xff, 0xff, 0xff, 0x03, OP.end),
  Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end),
  Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end),
  Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end),
];

function layOut(module: ParsedModule): MeterLayout {
  const globals = new ByteReader(sectionData(module.sections, SECTION.global)).u32();
  const functions = module.functionTypes.length;
  return {
    stackPointer: STACK_POINTER,
    ticks: globals,
    stackLow: globals + 1,
    stackFloor: globals + 2,
    stopReason: globals + 3,
    chargeBytes: functions,
    lowerStack: functions + 1,
    stackOverflowTexts: findText(sectionData(module.sections, SECTION.data), STACK_OVERFLOW_TEXT),
  };
}

function indexOfSignature(signatures: Signature[], wanted: Signature): number {
  const text = JSON.stringify(wanted);
  const found = signatures.findIndex((candidate) => JSON.stringify(candidate) === text);
  return found === -1 ? signatures.push(wanted) - 1 : found;
}

function writeSignatures(signatures: readonly Signature[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(signatures.length);
  for (const { parameters, results } of signatures) {
    out.u8(0x60);
    out.sized(Uint8Array.from(parameters));
    out.sized(Uint8Array.from(results));
  }
  return out.finish();
}

function extendVector(module: ParsedModule, id: number, items: readonly Uint8Array[]): Uint8Array {
  const old = new ByteReader(sectionData(module.sections, id));
  const count = old.u32();
  const out = new ByteWriter(old.bytes.length + 256);
  out.u32(count + items.length);
  out.append(old.bytes.subarray(old.position));
  for (const item of items) out.append(item);
  return out.finish();
}

function newExports(layout: MeterLayout, added: ReturnType<typeof addedFunctions>): Uint8Array[] {
  const one = (name: string, kind: number, index: number): Uint8Array =>
    assemble((out) => {
      out.name(name);
      out.u8(kind);
      out.u32(index);
    });
  const { stackPointer, stackLow, stackFloor, stopReason } = layout;
  const globals = Object.entries({ stackPointer, stackLow, stackFloor, stopReason });
  return [
    ...globals.map(([name, index]) => one(name, EXPORT_GLOBAL, index)),
    ...added.flatMap(({ exportName }, offset) =>
      exportName === undefined ? [] : [one(exportName, EXPORT_FUNCTION, layout.chargeBytes + offset)],
    ),
  ];
}

/** Writes one function body anew. Lives for that one body. */
class BodyRewriter {
  readonly #source: Uint8Array;
  readonly #layout: MeterLayout;
  readonly #body: FunctionBody;
  /** Bytes by which the stack pointer is lowered for the native frame; 0 outside recursion. */
  readonly #frameBytes: number;
  readonly #out: ByteWriter;
  /** Copy of the tick counter in a local: a global in its place costs 70 %, this 3 to 10 %. */
  readonly #ticksLocal: number;

  constructor(source: Uint8Array, layout: MeterLayout, body: FunctionBody, frameBytes: number) {
    this.#source = source;
    this.#layout = layout;
    this.#body = body;
    this.#frameBytes = frameBytes;
    this.#out = new ByteWriter(1024);
    this.#ticksLocal = body.locals.count;
  }

  rewrite(granularity: Granularity): Uint8Array {
    const { instructions, locals, signature } = this.#body;
    const charges = computeCharges(instructions, granularity);
    this.#out.u32(locals.groups + 1);
    this.#out.append(locals.bytes);
    this.#out.append([1, I64]);
    this.#prologue();
    // Branches to the function's own label land at the end of this block, so that they pass the epilogue.
    this.#out.append([OP.block, signature.results[0] ?? 0x40]);
    const last = instructions.at(-1);
    assert(
      last?.op === OP.end && signature.results.length <= 1,
      "a function body ends, with one result at most",
    );
    for (const instruction of instructions) {
      const charge = charges.get(instruction.start);
      if (charge !== undefined) this.#charge(charge);
      if (instruction === last) this.#out.u8(OP.end);
      this.#before(instruction, instruction === last);
      this.#out.append(this.#source.subarray(instruction.start, instruction.end));
      if (instruction.op === OP.call || instruction.op === OP.callIndirect) this.#loadTicks();
    }
    return this.#out.finish();
  }

  #before({ op, sub, immediate }: Instruction, isLast: boolean): void {
    if (isLast || op === OP.return) this.#epilogue();
    else if (op === OP.call || op === OP.callIndirect) this.#storeTicks();
    else if (op === OP.bulk && (sub === BULK.memoryCopy || sub === BULK.memoryFill)) {
      this.#storeTicks();
      writeIndexed(this.#out, OP.call, this.#layout.chargeBytes);
      this.#loadTicks();
    } else if (op === OP.i32Const && this.#layout.stackOverflowTexts.includes(immediate)) {
      this.#storeTicks();
      writeI32(this.#out, STOP_STACK_LIMIT);
      writeIndexed(this.#out, OP.globalSet, this.#layout.stopReason);
      this.#out.u8(OP.unreachable);
    }
  }

  #prologue(): void {
    if (this.#frameBytes > 0) {
      this.#moveStack(0x6b);
      writeIndexed(this.#out, OP.globalGet, this.#layout.stackPointer);
      writeIndexed(this.#out, OP.globalGet, this.#layout.stackLow);
      this.#out.append([0x49, OP.if, 0x40]);
      writeIndexed(this.#out, OP.call, this.#layout.lowerStack);
      this.#out.u8(OP.end);
    }
    this.#loadTicks();
  }

  #epilogue(): void {
    this.#storeTicks();
    if (this.#frameBytes > 0) this.#moveStack(0x6a);
  }

  /** Adds (0x6a) or subtracts (0x6b) the frame at the stack pointer. */
  #moveStack(operator: number): void {
    writeIndexed(this.#out, OP.globalGet, this.#layout.stackPointer);
    writeI32(this.#out, this.#frameBytes);
    this.#out.u8(operator);
    writeIndexed(this.#out, OP.globalSet, this.#layout.stackPointer);
  }

  #loadTicks(): void {
    writeIndexed(this.#out, OP.globalGet, this.#layout.ticks);
    writeIndexed(this.#out, OP.localSet, this.#ticksLocal);
  }

  #storeTicks(): void {
    writeIndexed(this.#out, OP.localGet, this.#ticksLocal);
    writeIndexed(this.#out, OP.globalSet, this.#layout.ticks);
  }

  #charge({ ticks, check }: Charge): void {
    if (ticks === 0 && !check) return;
    writeIndexed(this.#out, OP.localGet, this.#ticksLocal);
    if (ticks > 0) {
      this.#out.u8(0x42);
      this.#out.s32(ticks);
      this.#out.u8(0x7d);
      writeIndexed(this.#out, check ? OP.localTee : OP.localSet, this.#ticksLocal);
    }
    if (!check) return;
    this.#out.append([0x42, 0, 0x53, OP.if, 0x40]);
    this.#storeTicks();
    this.#out.append([OP.unreachable, OP.end]);
  }
}
