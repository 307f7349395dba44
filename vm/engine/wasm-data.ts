/** Looks up C string constants in a wasm data section. specs/vm/engine/engine.md#the-binary */
import { assert } from "../../primitives/errors.ts";
import { ByteReader, OP, readInstruction } from "./wasm-reader.ts";

/** Addresses of every zero-terminated `text` (linkers merge a constant with the tail of another). */
export function findText(dataSection: Uint8Array, text: string): number[] {
  const wanted = Uint8Array.from(`${text}\0`, (character) => character.charCodeAt(0));
  const found: number[] = [];
  for (const { address, bytes } of readSegments(dataSection)) {
    for (let at = bytes.indexOf(wanted[0] ?? 0); at !== -1; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
      if (wanted.every((byte, offset) => bytes[at + offset] === byte)) found.push(address + at);
    }
  }
  return found;
}

function readSegments(dataSection: Uint8Array): { address: number; bytes: Uint8Array }[] {
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
