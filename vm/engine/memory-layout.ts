/** Where things lie in an instance's memory, and the move that makes the layout compact. specs/vm/engine/engine.md#memory */
import { assert } from "../../primitives/errors.ts";
import { INITIAL_PAGES, MAXIMUM_PAGES, PAGE_BYTES } from "./image.ts";
import { ByteReader, OP, readInstruction } from "./wasm-reader.ts";
import { ByteWriter } from "./wasm-writer.ts";

/** Static data lies below this address; the stack grows down towards it. */
export const DATA_END = 90_208;

/**
 * The stack ends and the heap starts here. The linker left 5 MiB between DATA_END and the heap; QuickJS may
 * use 576 KiB of it (limit and reserve). What is left must be cleared at every restore, so the heap is moved
 * down, next to the stack.
 */
export const STACK_TOP = 12 * 65_536;
const LINKED_STACK_TOP = DATA_END + 5 * 1024 * 1024;

/** Memory is marked as written in pages of this size; with 4 KiB a restore would copy three times as much. */
export const MARKED_PAGE_SHIFT = 10;
export const MARKED_PAGE_BYTES = 1 << MARKED_PAGE_SHIFT;

/** A store that is marked on one page may reach this far into the next. */
export const STORE_REACH_BYTES = 72;

/**
 * One byte for every page there can be, not zero when it was written. They lie below the deepest stack, where nothing
 * else does, and fill pages of their own.
 */
export const MARKS_ADDRESS = 96 * MARKED_PAGE_BYTES;
export const MARKS_BYTES = (MAXIMUM_PAGES * PAGE_BYTES) / MARKED_PAGE_BYTES;

/** The C library keeps the end of the heap in this word of its static data. It starts as the heap's start. */
export const HEAP_END_ADDRESS = 86_864;

/** The import section with the memory's limits replaced by the protocol's. */
export function limitMemory(imports: Uint8Array): Uint8Array {
  const reader = new ByteReader(imports);
  const out = new ByteWriter(imports.length + 8);
  const count = reader.u32();
  out.u32(count);
  for (let i = 0; i < count; i++) {
    const start = reader.position;
    reader.name();
    reader.name();
    const isMemory = reader.u8() === 2;
    out.append(imports.subarray(start, reader.position));
    if (isMemory) assert(reader.u8() === 1, "the memory has a maximum");
    const value = reader.u32();
    if (isMemory) {
      reader.u32();
      out.u8(1);
      out.u32(INITIAL_PAGES);
      out.u32(MAXIMUM_PAGES);
    } else out.u32(value);
  }
  return out.finish();
}

/** The global section with the initial stack pointer moved. It is global 0, as LLVM lays it out. */
export function moveStackPointer(globals: Uint8Array): Uint8Array {
  const reader = new ByteReader(globals);
  const out = new ByteWriter(globals.length);
  out.u32(reader.u32());
  out.append(reader.take(2));
  const initial = readInstruction(reader);
  assert(
    initial.op === OP.i32Const && initial.immediate === LINKED_STACK_TOP,
    "the stack is where it was linked",
  );
  out.u8(OP.i32Const);
  out.s32(STACK_TOP);
  out.append(globals.subarray(reader.position));
  return out.finish();
}

/** The data section with the initial end of the heap moved. The linker left out the word's zero top byte. */
export function moveHeap(dataSection: Uint8Array): Uint8Array {
  // Not slice(): of a Buffer that would be a view.
  const moved = new Uint8Array(dataSection);
  const segment = readDataSegments(moved).find(({ address }) => address === HEAP_END_ADDRESS);
  assert(segment?.bytes.length === 3, "the end of the heap has a data segment of its own");
  const [low, middle, high] = segment.bytes;
  const linked = (low ?? 0) | ((middle ?? 0) << 8) | ((high ?? 0) << 16);
  assert(linked === LINKED_STACK_TOP, "the heap is where it was linked");
  segment.bytes.set([STACK_TOP & 0xff, (STACK_TOP >> 8) & 0xff, STACK_TOP >> 16]);
  return moved;
}

/** Addresses of every zero-terminated `text` (linkers merge a constant with the tail of another). */
export function findText(dataSection: Uint8Array, text: string): number[] {
  const wanted = Uint8Array.from(`${text}\0`, (character) => character.charCodeAt(0));
  const first = wanted[0] ?? 0;
  const found: number[] = [];
  for (const { address, bytes } of readDataSegments(dataSection)) {
    for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
      if (wanted.every((byte, offset) => bytes[at + offset] === byte)) found.push(address + at);
    }
  }
  return found;
}

function readDataSegments(dataSection: Uint8Array): { address: number; bytes: Uint8Array }[] {
  const reader = new ByteReader(dataSection);
  return reader.vector(() => {
    assert(reader.u32() === 0, "data segments are active, in memory 0");
    const offset = readInstruction(reader);
    assert(
      offset.op === OP.i32Const && reader.u8() === OP.end,
      "a data segment starts at a constant address",
    );
    return { address: offset.immediate, bytes: reader.take(reader.u32()) };
  });
}
