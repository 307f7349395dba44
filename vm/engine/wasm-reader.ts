/** Reads a WebAssembly binary: LEB128 numbers, sections and single instructions. specs/vm/engine/engine.md */
import { assert } from "../../primitives/errors.ts";

/** Section ids the meter reads or rewrites (WebAssembly core 2.0, 5.5.2). */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
};

/** Opcodes the meter tells apart (WebAssembly core 2.0, 5.4). */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  i32Const: 0x41,
  f64Const: 0x44,
  bulk: 0xfc,
};

/** Sub-opcodes behind the 0xfc prefix. */
export const BULK = { memoryInit: 8, dataDrop: 9, memoryCopy: 10, memoryFill: 11 };

/** One instruction: where it lies, and the immediates the meter needs. */
export type Instruction = {
  readonly op: number;
  /** The number behind the prefix 0xfc; 0 for all other opcodes. */
  readonly sub: number;
  /** Label depth, function, type, local or global index, block type, constant or address offset; else 0. */
  readonly immediate: number;
  /** Label depths of a br_table, the default last. */
  readonly labels: readonly number[];
  readonly start: number;
  readonly end: number;
};

export type Section = { readonly id: number; readonly data: Uint8Array };

/** A cursor over bytes. Trusts its input: the only binary it is given is pinned by hash. */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  u8(): number {
    const byte = this.bytes[this.position++];
    assert(byte !== undefined, "a wasm section ends where it says");
    return byte;
  }

  u32(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && (byte & 64) !== 0 ? value | (-1 << shift) : value;
    }
  }

  skipLeb(): void {
    while (this.u8() >= 128);
  }

  take(length: number): Uint8Array {
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  name(): string {
    return String.fromCharCode(...this.take(this.u32()));
  }

  vector<T>(readItem: () => T): T[] {
    return Array.from({ length: this.u32() }, readItem);
  }
}

export function readSections(binary: Uint8Array): Section[] {
  const reader = new ByteReader(binary, 8);
  const sections: Section[] = [];
  while (reader.position < binary.length) {
    const id = reader.u8();
    sections.push({ id, data: reader.take(reader.u32()) });
  }
  return sections;
}

const NO_LABELS: readonly number[] = [];

/** Reads one instruction. The engine's binary uses the MVP, sign extension, saturating floats and bulk memory. */
export function readInstruction(reader: ByteReader): Instruction {
  const start = reader.position;
  const op = reader.u8();
  let sub = 0;
  let immediate = 0;
  let labels = NO_LABELS;
  if (op === OP.brTable) {
    labels = reader.vector(() => reader.u32());
    labels = [...labels, reader.u32()];
  } else if (op === OP.bulk) {
    sub = reader.u32();
    skipBulkImmediates(reader, sub);
  } else {
    immediate = readImmediate(reader, op);
  }
  return { op, sub, immediate, labels, start, end: reader.position };
}

function readImmediate(reader: ByteReader, op: number): number {
  if (op === OP.block || op === OP.loop || op === OP.if) return readBlockType(reader);
  if (op === OP.br || op === OP.brIf || op === OP.call) return reader.u32();
  if (op >= OP.localGet && op <= OP.globalSet) return reader.u32();
  if (op === OP.i32Const) return reader.s32();
  if (op === OP.callIndirect) {
    const type = reader.u32();
    reader.u32();
    return type;
  }
  if (op >= 0x28 && op <= 0x3e) {
    reader.u32();
    return reader.u32();
  }
  if (op === OP.memorySize || op === 0x40) reader.u8();
  else if (op === 0x42) reader.skipLeb();
  else if (op === 0x43) reader.take(4);
  else if (op === OP.f64Const) reader.take(8);
  else assert(hasNoImmediate(op), `wasm opcode ${op} is known`);
  return 0;
}

function readBlockType(reader: ByteReader): number {
  const type = reader.u8();
  assert(type >= 0x40 && type < 0x80, "a wasm block has no parameters and at most one result");
  return type;
}

function hasNoImmediate(op: number): boolean {
  return op <= 1 || op === OP.else || op === OP.end || op === OP.return || op === OP.drop || op === OP.select
    ? true
    : op >= 0x45 && op <= 0xc4;
}

function skipBulkImmediates(reader: ByteReader, sub: number): void {
  if (sub <= 7) return;
  if (sub === BULK.memoryCopy) reader.take(2);
  else if (sub === BULK.memoryFill) reader.take(1);
  else assert(false, `wasm opcode 0xfc ${sub} is known`);
}
