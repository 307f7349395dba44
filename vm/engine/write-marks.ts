/** Machine code that notes which pages of the memory are written. specs/vm/engine/engine.md#written-pages */
import { MARKED_PAGE_SHIFT, MARKS_ADDRESS, STORE_REACH_BYTES } from "./memory-layout.ts";
import type { Instruction } from "./wasm-reader.ts";
import { BULK, OP } from "./wasm-reader.ts";
import { type ByteWriter, writeI32, writeIndexed } from "./wasm-writer.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
const F32 = 0x7d;
const I32_ADD = 0x6a;
const I32_SUBTRACT = 0x6b;
const I32_SHIFT_RIGHT_UNSIGNED = 0x76;
const I32_STORE_8 = 0x3a;
const BYTE_ALIGNMENT = 0;
const FIRST_STORE = 0x36;
const LARGEST_STORE_BYTES = 8;

/** Type of the operand of each store, from `i32.store` on: whole values, then parts of an i32 and of an i64. */
const STORED_TYPES = [I32, I64, F32, F64, I32, I32, I64, I64, I64];

export function isStore(instruction: Instruction): boolean {
  return storedType(instruction) !== undefined;
}

/** Type of the value a store writes; undefined for all other instructions. */
function storedType({ op }: Instruction): number | undefined {
  return STORED_TYPES[op - FIRST_STORE];
}

/** Locals a body needs for its marks: the address first, then one for each type it stores. None without a store. */
export function markLocals(instructions: readonly Instruction[]): readonly number[] {
  const types = new Set<number>();
  for (const instruction of instructions) {
    const type = storedType(instruction);
    if (type !== undefined) types.add(type);
  }
  return types.size === 0 ? [] : [I32, ...types];
}

/**
 * A store and its mark. The mark comes second: who writes over the marks themselves leaves the mark of their page.
 *
 * The mark is that of the pointer's page; a store may reach STORE_REACH_BYTES further, into the next page. Adding each
 * offset costs time, and values in the compiler's larger functions.
 * @param locals what `markLocals` said; the first has the index `firstLocal`.
 * @param markFunction to call for the mark; undefined to have it in place.
 * @returns false when the instruction is no store.
 */
export function writeMarkedStore(
  code: ByteWriter,
  instruction: Instruction,
  store: Uint8Array,
  locals: readonly number[],
  firstLocal: number,
  markFunction: number | undefined,
): boolean {
  const type = storedType(instruction);
  if (type === undefined) return false;
  const valueLocal = firstLocal + locals.indexOf(type, 1);
  writeIndexed(code, OP.localSet, valueLocal);
  writeIndexed(code, OP.localTee, firstLocal);
  writeIndexed(code, OP.localGet, valueLocal);
  code.append(store);
  writeIndexed(code, OP.localGet, firstLocal);
  if (instruction.immediate > STORE_REACH_BYTES - LARGEST_STORE_BYTES) {
    writeI32(code, instruction.immediate);
    code.u8(I32_ADD);
  }
  if (markFunction === undefined) writeMark(code);
  else writeIndexed(code, OP.call, markFunction);
  return true;
}

/** Marks the page of the address on the stack. */
function writeMark(code: ByteWriter): void {
  writeI32(code, MARKED_PAGE_SHIFT);
  code.u8(I32_SHIFT_RIGHT_UNSIGNED);
  writeI32(code, 1);
  code.append([I32_STORE_8, BYTE_ALIGNMENT]);
  code.u32(MARKS_ADDRESS);
}

/** The body of a function that marks the page of the address it is given. */
export function writeMarkBody(code: ByteWriter): void {
  writeIndexed(code, OP.localGet, 0);
  writeMark(code);
}

/** Marks the pages that a `memory.copy` or `memory.fill` has written: its address and length are locals 0 and 2. */
export function writeRangeMark(code: ByteWriter): void {
  const firstPage = (): void => {
    writeIndexed(code, OP.localGet, 0);
    writeI32(code, MARKED_PAGE_SHIFT);
    code.u8(I32_SHIFT_RIGHT_UNSIGNED);
  };
  const EMPTY_BLOCK = 0x40;
  writeIndexed(code, OP.localGet, 2);
  code.append([OP.if, EMPTY_BLOCK]);
  firstPage();
  writeI32(code, MARKS_ADDRESS);
  code.u8(I32_ADD);
  writeI32(code, 1);
  writeIndexed(code, OP.localGet, 0);
  writeIndexed(code, OP.localGet, 2);
  code.u8(I32_ADD);
  writeI32(code, 1);
  code.u8(I32_SUBTRACT);
  writeI32(code, MARKED_PAGE_SHIFT);
  code.u8(I32_SHIFT_RIGHT_UNSIGNED);
  firstPage();
  code.u8(I32_SUBTRACT);
  writeI32(code, 1);
  code.append([I32_ADD, OP.bulk, BULK.memoryFill, 0, OP.end]);
}
