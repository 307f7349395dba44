/** Writes WebAssembly: a growing buffer, LEB128 numbers and the few instructions the meter inserts. specs/vm/engine/engine.md */
import { OP } from "./wasm-reader.ts";

/** Bytes under construction. Identity and lifetime: one per section or function body. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  u8(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  u32(value: number): void {
    while (value >= 128) {
      this.u8((value % 128) | 128);
      value = Math.floor(value / 128);
    }
    this.u8(value);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): void {
    for (;;) {
      const low = value & 127;
      value >>= 7;
      if ((value === 0 && low < 64) || (value === -1 && low >= 64)) {
        this.u8(low);
        return;
      }
      this.u8(low | 128);
    }
  }

  append(bytes: Uint8Array | readonly number[]): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A length in bytes and then the bytes: names, bodies and sections are written so. */
  sized(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.append(bytes);
  }

  name(text: string): void {
    this.sized(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + extra));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** The bytes of a few instructions, in the order given. */
export function assemble(write: (code: ByteWriter) => void): Uint8Array {
  const code = new ByteWriter(32);
  write(code);
  return code.finish();
}

export function writeIndexed(code: ByteWriter, op: number, index: number): void {
  code.u8(op);
  code.u32(index);
}

export function writeI32(code: ByteWriter, value: number): void {
  code.u8(OP.i32Const);
  code.s32(value);
}
