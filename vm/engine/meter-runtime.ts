/** The globals and functions the meter adds to the engine's binary, written in machine code. specs/vm/engine/engine.md#the-binary */
import { BULK_BYTES_SHIFT } from "./tick-cost.ts";
import type { Signature } from "./wasm-functions.ts";
import { BULK, OP } from "./wasm-reader.ts";
import { assemble, type ByteWriter, writeI32, writeIndexed } from "./wasm-writer.ts";
import { F64, I32, I64, writeMarkBody, writeRangeMark } from "./write-marks.ts";

export const EMPTY_BLOCK = 0x40;
const MUTABLE = 1;

export const I64_CONST = 0x42;
export const I32_ADD = 0x6a;
export const I32_SUBTRACT = 0x6b;
export const I32_LESS_UNSIGNED = 0x49;
export const I64_LESS_SIGNED = 0x53;
export const I64_SUBTRACT = 0x7d;
const I32_SHIFT_RIGHT = 0x76;
const I64_FROM_I32_UNSIGNED = 0xad;
const F64_FROM_I64 = 0xb9;
const I64_FROM_F64_SATURATING = [OP.bulk, 6] as const;
const NO_LOCALS = 0;

/** Indices of what is added. */
export type MeterLayout = {
  /** Global 0, which was there before. */
  readonly stackPointer: number;
  readonly ticks: number;
  /** A frame whose stack pointer would be below this ends the run. */
  readonly stackFloor: number;
  readonly stopReason: number;
  /** In place of `memory.copy` and `memory.fill`. */
  readonly copyBytes: number;
  readonly fillBytes: number;
  /** Marks the page of an address. */
  readonly markPage: number;
};

export type AddedFunction = {
  readonly exportName: string | undefined;
  readonly signature: Signature;
  readonly body: Uint8Array;
};

export function layOut(globals: number, functions: number): MeterLayout {
  return {
    stackPointer: 0,
    ticks: globals,
    stackFloor: globals + 1,
    stopReason: globals + 2,
    copyBytes: functions,
    fillBytes: functions + 1,
    markPage: functions + 2,
  };
}

/**
 * In the order of their indices. An instance sets them before it runs anything; until then 2^27 - 1 ticks
 * cover the start function of the binary.
 */
export const ADDED_GLOBALS = [
  Uint8Array.of(I64, MUTABLE, I64_CONST, 0xff, 0xff, 0xff, 0x3f, OP.end),
  Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end),
  Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end),
];

/** In the order of their indices, the first at `layout.copyBytes`. */
export function addedFunctions(layout: MeterLayout): AddedFunction[] {
  return [
    { exportName: undefined, signature: BULK_SIGNATURE, body: bulk(layout, [BULK.memoryCopy, 0, 0]) },
    { exportName: undefined, signature: BULK_SIGNATURE, body: bulk(layout, [BULK.memoryFill, 0]) },
    { exportName: undefined, signature: { parameters: [I32], results: [] }, body: body(writeMarkBody) },
    { exportName: "ticksLeft", signature: { parameters: [], results: [F64] }, body: ticksLeft(layout) },
    { exportName: "setTicks", signature: { parameters: [F64], results: [] }, body: setTicks(layout) },
  ];
}

const BULK_SIGNATURE: Signature = { parameters: [I32, I32, I32], results: [] };

/** Charges for the length of a memory.copy or memory.fill, carries it out, and marks what it wrote. */
function bulk({ ticks }: MeterLayout, instruction: readonly number[]): Uint8Array {
  return body((code) => {
    writeIndexed(code, OP.globalGet, ticks);
    writeIndexed(code, OP.localGet, 2);
    writeI32(code, BULK_BYTES_SHIFT);
    code.append([I32_SHIFT_RIGHT, I64_FROM_I32_UNSIGNED, I64_SUBTRACT]);
    writeIndexed(code, OP.globalSet, ticks);
    writeIndexed(code, OP.globalGet, ticks);
    code.append([I64_CONST, 0, I64_LESS_SIGNED, OP.if, EMPTY_BLOCK, OP.unreachable, OP.end]);
    for (const operand of [0, 1, 2]) writeIndexed(code, OP.localGet, operand);
    code.append([OP.bulk, ...instruction]);
    writeRangeMark(code);
  });
}

/** The counter crosses to the host as an f64, which holds it exactly below 2^53; a bigint costs 0.1 µs. */
function ticksLeft({ ticks }: MeterLayout): Uint8Array {
  return body((code) => {
    writeIndexed(code, OP.globalGet, ticks);
    code.u8(F64_FROM_I64);
  });
}

function setTicks({ ticks }: MeterLayout): Uint8Array {
  return body((code) => {
    writeIndexed(code, OP.localGet, 0);
    code.append(I64_FROM_F64_SATURATING);
    writeIndexed(code, OP.globalSet, ticks);
  });
}

function body(write: (code: ByteWriter) => void): Uint8Array {
  return assemble((code) => {
    code.u8(NO_LOCALS);
    write(code);
    code.u8(OP.end);
  });
}
