/** Writes one function body anew: ticks, stack and memory accounting around its own instructions. specs/vm/engine/engine.md#the-binary */
import { assert } from "../../primitives/errors.ts";
import { type Charge, computeCharges, type Granularity } from "./block-charges.ts";
import type { CPatches } from "./c-patches.ts";
import {
  EMPTY_BLOCK,
  I32_ADD,
  I32_LESS_UNSIGNED,
  I32_SUBTRACT,
  I64_CONST,
  I64_LESS_SIGNED,
  I64_SUBTRACT,
  type MeterLayout,
} from "./meter-runtime.ts";
import type { FunctionBody } from "./wasm-functions.ts";
import { BULK, type Instruction, OP } from "./wasm-reader.ts";
import { ByteWriter, writeI32, writeIndexed } from "./wasm-writer.ts";
import { I64, markLocals, writeMarkedStore } from "./write-marks.ts";

/** Value of the global `stopReason` after a run that QuickJS's own stack check ended. */
export const STOP_STACK_LIMIT = 1;

/** Lives for one body. */
export class BodyRewriter {
  readonly #source: Uint8Array;
  readonly #layout: MeterLayout;
  readonly #patches: CPatches;
  readonly #body: FunctionBody;
  /** Bytes by which the stack pointer is lowered for the native frame; 0 outside recursion. */
  readonly #frameBytes: number;
  readonly #out = new ByteWriter(1024);
  /** Copy of the tick counter in a local: a global in its place costs 70 %, this 3 to 10 %. */
  readonly #ticksLocal: number;
  /** Types of the locals behind it, for marks. */
  readonly #markLocals: readonly number[];

  constructor(
    source: Uint8Array,
    layout: MeterLayout,
    patches: CPatches,
    body: FunctionBody,
    frameBytes: number,
  ) {
    this.#source = source;
    this.#layout = layout;
    this.#patches = patches;
    this.#body = body;
    this.#frameBytes = frameBytes;
    this.#ticksLocal = body.locals.count;
    this.#markLocals = markLocals(body.instructions);
  }

  rewrite(granularity: Granularity): Uint8Array {
    const { instructions, locals, signature } = this.#body;
    const charges = computeCharges(instructions, granularity);
    this.#out.u32(locals.groups + 1 + this.#markLocals.length);
    this.#out.append(locals.bytes);
    for (const type of [I64, ...this.#markLocals]) this.#out.append([1, type]);
    this.#prologue();
    // Branches to the function's own label land at the end of this block, so that they pass the epilogue.
    this.#out.append([OP.block, signature.results[0] ?? EMPTY_BLOCK]);
    const last = instructions.at(-1);
    assert(
      last?.op === OP.end && signature.results.length <= 1,
      "a function body ends, with one result at most",
    );
    for (const instruction of instructions) {
      const charge = charges.get(instruction.start);
      if (charge !== undefined) this.#charge(charge);
      if (instruction === last) {
        this.#out.u8(OP.end);
        this.#epilogue();
      }
      this.#instruction(instruction);
    }
    return this.#out.finish();
  }

  #instruction(instruction: Instruction): void {
    const { op, sub, immediate } = instruction;
    if (op === OP.call || op === OP.callIndirect) {
      this.#storeTicks();
      this.#copy(instruction);
      this.#loadTicks();
    } else if (op === OP.bulk && (sub === BULK.memoryCopy || sub === BULK.memoryFill)) {
      this.#storeTicks();
      const { copyBytes, fillBytes } = this.#layout;
      writeIndexed(this.#out, OP.call, sub === BULK.memoryCopy ? copyBytes : fillBytes);
      this.#loadTicks();
    } else if (op === OP.return) {
      this.#epilogue();
      this.#copy(instruction);
    } else if (op === OP.i32Const && this.#patches.stackLimitTexts.includes(immediate)) {
      this.#storeTicks();
      writeI32(this.#out, STOP_STACK_LIMIT);
      writeIndexed(this.#out, OP.globalSet, this.#layout.stopReason);
      this.#out.u8(OP.unreachable);
      this.#copy(instruction);
    } else {
      this.#plain(instruction);
    }
  }

  #plain(instruction: Instruction): void {
    const replacement = this.#patches.constants.get(instruction);
    if (replacement !== undefined) writeI32(this.#out, replacement);
    else {
      const bytes = this.#bytesOf(instruction);
      const firstLocal = this.#ticksLocal + 1;
      const mark = this.#patches.coldStores.has(instruction) ? this.#layout.markPage : undefined;
      if (!writeMarkedStore(this.#out, instruction, bytes, this.#markLocals, firstLocal, mark))
        this.#out.append(bytes);
    }
  }

  #copy(instruction: Instruction): void {
    this.#out.append(this.#bytesOf(instruction));
  }

  #bytesOf({ start, end }: Instruction): Uint8Array {
    return this.#source.subarray(start, end);
  }

  #prologue(): void {
    if (this.#frameBytes > 0) {
      const { stackPointer, stackFloor } = this.#layout;
      this.#moveStack(I32_SUBTRACT);
      writeIndexed(this.#out, OP.globalGet, stackPointer);
      writeIndexed(this.#out, OP.globalGet, stackFloor);
      this.#out.append([I32_LESS_UNSIGNED, OP.if, EMPTY_BLOCK, OP.unreachable, OP.end]);
    }
    this.#loadTicks();
  }

  #epilogue(): void {
    this.#storeTicks();
    if (this.#frameBytes > 0) this.#moveStack(I32_ADD);
  }

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
      this.#out.u8(I64_CONST);
      this.#out.s32(ticks);
      this.#out.u8(I64_SUBTRACT);
      writeIndexed(this.#out, check ? OP.localTee : OP.localSet, this.#ticksLocal);
    }
    if (!check) return;
    this.#out.append([I64_CONST, 0, I64_LESS_SIGNED, OP.if, EMPTY_BLOCK]);
    this.#storeTicks();
    this.#out.append([OP.unreachable, OP.end]);
  }
}
