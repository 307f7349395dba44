/** The few functions the meter adds to the engine's binary, written in machine code. specs/vm/engine/engine.md#the-binary */
import { BULK_BYTES_SHIFT } from "./tick-cost.ts";
import type { Signature } from "./wasm-functions.ts";
import { OP } from "./wasm-reader.ts";
import { assemble, type ByteWriter, writeI32, writeIndexed } from "./wasm-writer.ts";

/** Indices the rewritten code refers to. */
export type MeterLayout = {
  readonly stackPointer: number;
  readonly ticks: number;
  /** Lowest stack pointer seen, in steps of STACK_STEP_BYTES: what a restore has to clear. */
  readonly stackLow: number;
  /** A stack pointer below this ends the run. */
  readonly stackFloor: number;
  readonly stopReason: number;
  readonly chargeBytes: number;
  readonly lowerStack: number;
  readonly stackOverflowTexts: readonly number[];
};

export type AddedFunction = {
  readonly exportName: string | undefined;
  readonly signature: Signature;
  readonly body: Uint8Array;
};

/** Granularity of `stackLow`: one call of `lowerStack` covers the next 32 KiB of depth. */
export const STACK_STEP_BYTES = 32_768;

const I32 = 0x7f;
const F64 = 0x7c;
const I32_LESS_UNSIGNED = 0x49;
const I32_SUBTRACT = 0x6b;
const I32_SHIFT_RIGHT = 0x76;
const I64_LESS_SIGNED = 0x53;
const I64_SUBTRACT = 0x7d;
const I64_FROM_I32_UNSIGNED = 0xad;
const F64_FROM_I64 = 0xb9;
const SATURATING = [0xfc, 6] as const;
const EMPTY_BLOCK = 0x40;
const NO_LOCALS = 0;

/** In the order of their indices, the first at `layout.chargeBytes`. */
export function addedFunctions(layout: MeterLayout): AddedFunction[] {
  return [
    { exportName: undefined, signature: { parameters: [I32], results: [I32] }, body: chargeBytes(layout) },
    { exportName: undefined, signature: { parameters: [], results: [] }, body: lowerStack(layout) },
    { exportName: "ticksLeft", signature: { parameters: [], results: [F64] }, body: ticksLeft(layout) },
    { exportName: "setTicks", signature: { parameters: [F64], results: [] }, body: setTicks(layout) },
  ];
}

/** Charges for the length of a memory.copy or memory.fill, and returns the length to it. */
function chargeBytes({ ticks }: MeterLayout): Uint8Array {
  return body((code) => {
    writeIndexed(code, OP.globalGet, ticks);
    writeIndexed(code, OP.localGet, 0);
    writeI32(code, BULK_BYTES_SHIFT);
    code.append([I32_SHIFT_RIGHT, I64_FROM_I32_UNSIGNED, I64_SUBTRACT]);
    writeIndexed(code, OP.globalSet, ticks);
    writeIndexed(code, OP.globalGet, ticks);
    code.append([0x42, 0, I64_LESS_SIGNED, OP.if, EMPTY_BLOCK, OP.unreachable, OP.end]);
    writeIndexed(code, OP.localGet, 0);
  });
}

/** Called when the stack pointer passes `stackLow`: traps below the floor, else lowers `stackLow` to it. */
function lowerStack({ stackPointer, stackLow, stackFloor }: MeterLayout): Uint8Array {
  return body((code) => {
    writeIndexed(code, OP.globalGet, stackPointer);
    writeIndexed(code, OP.globalGet, stackFloor);
    code.append([I32_LESS_UNSIGNED, OP.if, EMPTY_BLOCK, OP.unreachable, OP.end, OP.loop, EMPTY_BLOCK]);
    writeIndexed(code, OP.globalGet, stackLow);
    writeI32(code, STACK_STEP_BYTES);
    code.u8(I32_SUBTRACT);
    writeIndexed(code, OP.globalSet, stackLow);
    writeIndexed(code, OP.globalGet, stackPointer);
    writeIndexed(code, OP.globalGet, stackLow);
    code.u8(I32_LESS_UNSIGNED);
    writeIndexed(code, OP.brIf, 0);
    code.u8(OP.end);
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
    code.append(SATURATING);
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
