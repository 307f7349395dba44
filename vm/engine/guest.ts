/** Reads and writes JavaScript values in the engine's memory. specs/vm/engine/engine.md#host-interface */
import { HaltSignal } from "./host.ts";
import type { GuestFunctions, GuestModule, Pointer } from "./wasm-module.ts";
import { markWritten } from "./written-pages.ts";

/** Type tags of QuickJS values, the upper half of the 8 bytes of a `JSValue` (quickjs.h, JS_NAN_BOXING). */
const TAG = {
  first: -9,
  bigInt: -9,
  rope: -6,
  string: -7,
  int: 0,
  undefined: 3,
  exception: 6,
  shortBigInt: 7,
};
/** An upper half that is no tag belongs to a float, whose upper half was shifted down by this. */
const FLOAT_SHIFT = 0x7ff8_000a;

/** `JSString`: reference count, length with the flag for two-byte characters, hash, chain, characters. */
const STRING_LENGTH = 4;
const STRING_WIDE_FLAG = 0x8000_0000;
const STRING_CHARACTERS = 16;
/** `JSStringRope`: a concatenation QuickJS has not carried out yet. */
const ROPE_LEFT = 16;
const ROPE_RIGHT = 24;

/** QuickJS balances ropes that get deeper than 60; one that is this deep does not come from it. */
const ROPE_DEPTH_LIMIT = 1000;

/** `JSBigInt`: reference count, number of limbs, 32-bit limbs from the lowest, in two's complement. */
const BIGINT_LENGTH = 4;
const BIGINT_LIMBS = 8;
/** Limbs that are read. Wider integers fit no type that crosses the border. */
const BIGINT_LIMB_LIMIT = 16;

const VALUE_BYTES = 8;
const SCRATCH_BYTES = 4096;

/** Values of one machine. */
export class Guest {
  readonly functions: GuestFunctions;
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array;
  #words: Uint32Array;
  #halfWords: Uint16Array;
  #longs: BigUint64Array;
  readonly #float = new Float64Array(1);
  readonly #floatWords = new Uint32Array(this.#float.buffer);
  #context: Pointer = 0;
  #scratch: Pointer = 0;
  readonly #recent: (string | undefined)[] = new Array(RECENT_TEXTS).fill(undefined);

  constructor(module: GuestModule) {
    this.functions = module.functions;
    this.#memory = module.memory;
    this.#bytes = new Uint8Array(module.memory.buffer);
    this.#words = new Uint32Array(module.memory.buffer);
    this.#halfWords = new Uint16Array(module.memory.buffer);
    this.#longs = new BigUint64Array(module.memory.buffer);
  }

  /** The whole memory. Not to be kept: it is another array after the memory has grown. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The whole memory as 32-bit words. Not to be kept. */
  get words(): Uint32Array {
    return this.#words;
  }

  grow(pages: number): void {
    this.#memory.grow(pages);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
    this.#halfWords = new Uint16Array(this.#memory.buffer);
    this.#longs = new BigUint64Array(this.#memory.buffer);
  }

  /** The QuickJS context and a buffer of SCRATCH_BYTES; the same addresses in every instance. */
  attach(context: Pointer, scratch: Pointer): void {
    this.#context = context;
    this.#scratch = scratch;
  }

  allocateScratch(): Pointer {
    return this.functions.malloc(SCRATCH_BYTES);
  }

  isException(value: Pointer): boolean {
    return this.#tag(value) === TAG.exception;
  }

  isUndefined(value: Pointer): boolean {
    return this.#tag(value) === TAG.undefined;
  }

  isString(value: Pointer): boolean {
    const tag = this.#tag(value);
    return tag === TAG.string || tag === TAG.rope;
  }

  /** The number at `value`, or undefined when it is something else. */
  readNumber(value: Pointer): number | undefined {
    const tag = this.#tag(value);
    const low = this.#words[value >> 2] ?? 0;
    if (tag === TAG.int) return low | 0;
    if (tag >= TAG.first && tag <= TAG.shortBigInt) return undefined;
    this.#floatWords[0] = low;
    this.#floatWords[1] = tag + FLOAT_SHIFT;
    return this.#float[0];
  }

  /**
   * The BigInt at `value`, or undefined when it is something else. One of more than 512 bits is read as 2^512 or
   * -2^512.
   */
  readBigInt(value: Pointer): bigint | undefined {
    const tag = this.#tag(value);
    const low = this.#words[value >> 2] ?? 0;
    if (tag === TAG.shortBigInt) return BigInt(low | 0);
    if (tag !== TAG.bigInt) return undefined;
    const length = this.#words[(low + BIGINT_LENGTH) >> 2] ?? 0;
    const first = (low + BIGINT_LIMBS) >> 2;
    if (length === 0 || first + length > this.#words.length) throw new HaltSignal("trap");
    const top = (this.#words[first + length - 1] ?? 0) | 0;
    if (length > BIGINT_LIMB_LIMIT) return top < 0 ? -(1n << 512n) : 1n << 512n;
    // Only a guest that has spoilt its allocator has limbs where pairs of them are not aligned.
    return first % 2 === 0 ? this.#readLimbPairs(first, length) : this.#readLimbs(first, length);
  }

  /** The signed top first, then 64 bits at a time. */
  #readLimbPairs(first: number, length: number): bigint {
    const end = (first + length) >> 1;
    let at = end;
    let value: bigint;
    if (length % 2 === 1) value = BigInt((this.#words[first + length - 1] ?? 0) | 0);
    else value = BigInt.asIntN(64, this.#longs[--at] ?? 0n);
    while (at > first >> 1) value = (value << 64n) | (this.#longs[--at] ?? 0n);
    return value;
  }

  #readLimbs(first: number, length: number): bigint {
    let value = BigInt((this.#words[first + length - 1] ?? 0) | 0);
    for (let i = first + length - 2; i >= first; i--) value = (value << 32n) | BigInt(this.#words[i] ?? 0);
    return value;
  }

  /**
   * The string at `value`, every UTF-16 unit of it. The caller has checked `isString`. `pay` is told the
   * number of characters before they are read, rope nodes included.
   */
  readString(value: Pointer, pay: (characters: number) => void): string {
    const target = this.#words[value >> 2] ?? 0;
    return this.#tag(value) === TAG.string ? this.#readFlat(target, pay) : this.#readRope(target, pay);
  }

  /**
   * The bytes of the hex text at `value`, which is a string, without making a text of it: half the time. Undefined, and
   * nothing paid, when it has to be read as a text: one in pieces, or no hex.
   */
  readHex(value: Pointer, pay: (characters: number) => void): Uint8Array | undefined {
    if (this.#tag(value) !== TAG.string) return undefined;
    const string = this.#words[value >> 2] ?? 0;
    const length = this.#words[(string + STRING_LENGTH) >> 2] ?? 0;
    const start = string + STRING_CHARACTERS;
    const isHex = length % 2 === 0 && length >= 2 && length < STRING_WIDE_FLAG;
    if (!isHex || start + length > this.#bytes.length) return undefined;
    const bytes = hexBytes(this.#bytes, start, length);
    if (bytes !== undefined) pay(length);
    return bytes;
  }

  /** Copies a host value into a new `JSValue`, which its receiver frees. */
  newValue(value: string | number): Pointer {
    if (typeof value === "string") return this.newString(value);
    const address = this.#checked(this.functions.malloc(VALUE_BYTES), VALUE_BYTES);
    if (Object.is(value | 0, value)) this.#write(address, value, TAG.int);
    else {
      this.#float[0] = value;
      this.#write(address, this.#floatWords[0] ?? 0, (this.#floatWords[1] ?? 0) - FLOAT_SHIFT);
    }
    return address;
  }

  newShortBigInt(value: number): Pointer {
    const address = this.#checked(this.functions.malloc(VALUE_BYTES), VALUE_BYTES);
    this.#write(address, value, TAG.shortBigInt);
    return address;
  }

  /** Gives a BigInt that nobody has seen yet, and that has as many limbs, another value. */
  overwriteBigInt(value: Pointer, limbs: readonly number[]): void {
    const target = this.#words[value >> 2] ?? 0;
    if (this.#tag(value) !== TAG.bigInt || this.#words[(target + BIGINT_LENGTH) >> 2] !== limbs.length) {
      throw new HaltSignal("trap");
    }
    const first = this.#checked(target + BIGINT_LIMBS, 4 * limbs.length) >> 2;
    for (const [i, limb] of limbs.entries()) this.#words[first + i] = limb;
    this.#mark(4 * first, 4 * limbs.length);
  }

  /** Addresses one after the other from `address` on, where the caller has room for them. */
  writePointers(address: Pointer, pointers: readonly Pointer[]): void {
    let at = address >> 2;
    for (const pointer of pointers) this.#words[at++] = pointer;
    this.#mark(address, 4 * pointers.length);
  }

  /**
   * A new guest string of any content. The C interface takes zero-terminated UTF-8, so a text with other
   * characters is made from a stand-in of the same length and width, and then written over: the string is
   * fresh, nobody has seen it yet.
   */
  newString(text: string): Pointer {
    const width = characterWidth(text);
    if (width === "plain") return this.#newFromUtf8(text.length, (source) => this.#writeLatin1(source, text));
    if (width === "latin1") {
      const value = this.#newFromUtf8(text.length, (source, length) =>
        this.#bytes.fill(PLAIN_LETTER, source, source + length),
      );
      this.#writeLatin1(this.#checked(this.#charactersOf(value), text.length), text);
      return value;
    }
    const value = this.#newFromUtf8(2 * text.length, (source, length) => {
      for (let i = 0; i < length; i++) this.#bytes[source + i] = WIDE_LETTER_UTF8[i & 1] ?? 0;
    });
    const start = this.#checked(this.#charactersOf(value), 2 * text.length) >> 1;
    for (let i = 0; i < text.length; i++) this.#halfWords[start + i] = text.charCodeAt(i);
    this.#mark(2 * start, 2 * text.length);
    return value;
  }

  /** Zero-terminated copy of `bytes` on the guest's heap, to be freed by the caller. */
  newBytes(bytes: Uint8Array): Pointer {
    const address = this.#checked(this.functions.malloc(bytes.length + 1), bytes.length + 1);
    this.#bytes.set(bytes, address);
    this.#bytes[address + bytes.length] = 0;
    this.#mark(address, bytes.length + 1);
    return address;
  }

  #newFromUtf8(length: number, write: (source: Pointer, length: number) => void): Pointer {
    const isShort = length < SCRATCH_BYTES;
    const source = isShort ? this.#scratch : this.#checked(this.functions.malloc(length + 1), length + 1);
    write(source, length);
    this.#bytes[source + length] = 0;
    this.#mark(source, length + 1);
    const value = this.functions.newString(this.#context, source);
    if (!isShort) this.functions.free(source);
    return value;
  }

  #writeLatin1(address: Pointer, text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[address + i] = text.charCodeAt(i);
    this.#mark(address, text.length);
  }

  #mark(address: Pointer, length: number): void {
    markWritten(this.#bytes, address, length);
  }

  #charactersOf(value: Pointer): Pointer {
    return (this.#words[value >> 2] ?? 0) + STRING_CHARACTERS;
  }

  /** Reads a rope leaf by leaf, left to right, with a stack of its own: the guest chooses the shape. */
  #readRope(rope: Pointer, pay: (characters: number) => void): string {
    const pending: Pointer[] = [rope + ROPE_RIGHT, rope + ROPE_LEFT];
    let text = "";
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const target = this.#words[value >> 2] ?? 0;
      pay(1);
      if (pending.length > ROPE_DEPTH_LIMIT) throw new HaltSignal("trap");
      if (this.#tag(value) === TAG.rope) pending.push(target + ROPE_RIGHT, target + ROPE_LEFT);
      else text += this.#readFlat(target, pay);
    }
    return text;
  }

  #readFlat(string: Pointer, pay: (characters: number) => void): string {
    const lengthAndFlag = this.#words[(string + STRING_LENGTH) >> 2] ?? 0;
    const isWide = lengthAndFlag >= STRING_WIDE_FLAG;
    const length = isWide ? lengthAndFlag - STRING_WIDE_FLAG : lengthAndFlag;
    const units = isWide ? this.#halfWords : this.#bytes;
    const start = (string + STRING_CHARACTERS) / units.BYTES_PER_ELEMENT;
    pay(length);
    if (start + length > units.length) throw new HaltSignal("trap");
    if (!isWide && length <= RECENT_CHARACTERS && length > 0) return this.#readRecent(start, length);
    return readCharacters(units, start, length);
  }

  /**
   * Contracts pass the same addresses and paths again and again, and making a text costs ten times what comparing
   * one does. One that is found is the text it was, whose hash is known: maps find it at once.
   */
  #readRecent(start: number, length: number): string {
    const bytes = this.#bytes;
    let hash = length;
    for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
    const place = (hash ^ (hash >>> 16)) & (RECENT_TEXTS - 1);
    const recent = this.#recent[place];
    if (recent !== undefined && isText(bytes, start, length, recent)) return recent;
    const text = readCharacters(bytes, start, length);
    this.#recent[place] = text;
    return text;
  }

  /** The host writes where the guest's allocator says, and the guest may have spoilt its allocator. */
  #checked(address: Pointer, length: number): Pointer {
    if ((address >>> 0) + length > this.#bytes.length) throw new HaltSignal("trap");
    return address >>> 0;
  }

  #tag(value: Pointer): number {
    return (this.#words[(value >> 2) + 1] ?? 0) | 0;
  }

  #write(address: Pointer, low: number, high: number): void {
    this.#words[address >> 2] = low;
    this.#words[(address >> 2) + 1] = high;
    this.#mark(address, VALUE_BYTES);
  }
}

/** Value of a digit by its character code, -1 for what is no hex digit. */
const DIGIT_VALUES = Int8Array.from({ length: 256 }, (_, code) =>
  "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase()),
);

/** The bytes that `length` characters from `start` on write as 0x and pairs of digits; undefined when they do not. */
function hexBytes(memory: Uint8Array, start: number, length: number): Uint8Array | undefined {
  if (memory[start] !== 0x30 || memory[start + 1] !== 0x78) return undefined;
  const bytes = new Uint8Array((length - 2) >> 1);
  let all = 0;
  for (let i = 0, at = start + 2; i < bytes.length; i++, at += 2) {
    const high = DIGIT_VALUES[memory[at] ?? 0] ?? -1;
    const low = DIGIT_VALUES[memory[at + 1] ?? 0] ?? -1;
    all |= high | low;
    bytes[i] = (high << 4) | low;
  }
  return all < 0 ? undefined : bytes;
}

const PLAIN_LETTER = 0x61;
/** U+0100, the first character that needs two bytes in QuickJS. */
const WIDE_LETTER_UTF8 = [0xc4, 0x80];

/** `plain` survives as zero-terminated UTF-8: no zero, nothing above 127. */
function characterWidth(text: string): "plain" | "latin1" | "wide" {
  let all = 0;
  let isPlain = true;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    all |= unit;
    if (unit === 0) isPlain = false;
  }
  if (all > 0xff) return "wide";
  return isPlain && all < 0x80 ? "plain" : "latin1";
}

/** Short texts that were read lately, a power of two of them. */
const RECENT_TEXTS = 256;
/** Hashes and addresses fit. */
const RECENT_CHARACTERS = 66;

function isText(bytes: Uint8Array, start: number, length: number, text: string): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Arguments one `fromCharCode` call is given; more would need much of the host's stack. */
const PIECE_CHARACTERS = 2048;

function readCharacters(units: Uint8Array | Uint16Array, start: number, length: number): string {
  let text = "";
  for (let at = start; at < start + length; at += PIECE_CHARACTERS) {
    const piece = units.subarray(at, Math.min(at + PIECE_CHARACTERS, start + length));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}
