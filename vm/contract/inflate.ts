/**
 * Raw DEFLATE (RFC 1951), decoded by code of our own: what a container says must not depend on the version of a
 * host library. Work and memory are bounded by the declared length. See specs/vm/contract/container.md#inflating.
 */
import { CodedError } from "../../primitives/errors.ts";

export type InflateErrorDetail = {
  readonly code:
    | "INFLATE_SHORT_DATA"
    | "INFLATE_TRAILING_BYTES"
    | "INFLATE_BAD_BLOCK"
    | "INFLATE_BAD_CODE"
    | "INFLATE_BAD_DISTANCE"
    | "INFLATE_TOO_LONG"
    | "INFLATE_TOO_SHORT"
    | "INFLATE_TOO_MANY_BLOCKS";
  /** Bytes of input read so far. */
  readonly offset: number;
};

export class InflateError extends CodedError<InflateErrorDetail> {}

/** Every block costs the building of its code tables, so their number is limited; zlib makes one per 16 K symbols. */
export const INFLATE_BLOCK_LIMIT = 1_024;

const MAX_CODE_BITS = 15;
const END_OF_BLOCK = 256;
const LENGTH_CODE_LIMIT = 286;
const DISTANCE_CODE_LIMIT = 30;

/** RFC 1951 3.2.5: first length of each code from 257, and how many extra bits follow it. */
const LENGTH_BASE = Uint16Array.of(
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31],
  ...[35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
);
const LENGTH_EXTRA_BITS = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
const DISTANCE_BASE = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537],
  ...[2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
);
const DISTANCE_EXTRA_BITS = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
);
/** RFC 1951 3.2.7: the order in which the lengths of the code length codes are sent. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * The `length` bytes that `packed` inflates to.
 * @throws InflateError unless `packed` is exactly one DEFLATE stream of exactly that many bytes.
 */
export function inflateRaw(packed: Uint8Array, length: number): Uint8Array {
  const input = new BitReader(packed);
  const output = new Output(length, input);
  for (let blocks = 1; ; blocks++) {
    if (blocks > INFLATE_BLOCK_LIMIT) input.fail("INFLATE_TOO_MANY_BLOCKS");
    const isLast = input.bits(1) === 1;
    const kind = input.bits(2);
    if (kind === 0) inflateStored(input, output);
    else if (kind === 1) inflateCoded(input, output, FIXED_LENGTHS, FIXED_DISTANCES);
    else if (kind === 2) {
      const { lengths, distances } = readCodes(input);
      inflateCoded(input, output, lengths, distances);
    } else input.fail("INFLATE_BAD_BLOCK");
    if (isLast) break;
  }
  if (output.size !== length) input.fail("INFLATE_TOO_SHORT");
  if (input.offset !== packed.length) input.fail("INFLATE_TRAILING_BYTES");
  return output.bytes;
}

/** Bits from the least significant end of each byte. */
class BitReader {
  readonly #bytes: Uint8Array;
  #buffer = 0;
  #held = 0;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bits(count: number): number {
    while (this.#held < count) {
      const byte = this.#bytes[this.offset];
      if (byte === undefined) this.fail("INFLATE_SHORT_DATA");
      this.#buffer |= byte << this.#held;
      this.#held += 8;
      this.offset++;
    }
    const value = this.#buffer & ((1 << count) - 1);
    this.#buffer >>>= count;
    this.#held -= count;
    return value;
  }

  /** Skips to the next byte boundary and reads `size` bytes. At most 7 bits are ever held, so none are lost. */
  alignedBytes(size: number): Uint8Array {
    this.#buffer = 0;
    this.#held = 0;
    if (this.offset + size > this.#bytes.length) this.fail("INFLATE_SHORT_DATA");
    this.offset += size;
    return this.#bytes.subarray(this.offset - size, this.offset);
  }

  fail(code: InflateErrorDetail["code"]): never {
    throw new InflateError({ code, offset: this.offset });
  }
}

/** The bytes made so far; the declared length is the limit that stops a bomb. */
class Output {
  readonly bytes: Uint8Array;
  readonly #input: BitReader;
  size = 0;

  constructor(length: number, input: BitReader) {
    this.bytes = new Uint8Array(length);
    this.#input = input;
  }

  byte(value: number): void {
    if (this.size === this.bytes.length) this.#input.fail("INFLATE_TOO_LONG");
    this.bytes[this.size++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.bytes.length) this.#input.fail("INFLATE_TOO_LONG");
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }

  /** Repeats what was written `distance` bytes ago; the copy may run into itself. */
  repeat(length: number, distance: number): void {
    if (distance > this.size) this.#input.fail("INFLATE_BAD_DISTANCE");
    if (this.size + length > this.bytes.length) this.#input.fail("INFLATE_TOO_LONG");
    for (const end = this.size + length; this.size < end; this.size++) {
      this.bytes[this.size] = this.bytes[this.size - distance] ?? 0;
    }
  }
}

/** A canonical Huffman code: how many codes have each length, and the symbols in code order. */
type Code = { readonly counts: Uint16Array; readonly symbols: Uint16Array };

/** `unused` counts the bit patterns no symbol has; negative when the lengths ask for more than there are. */
function buildCode(lengths: Uint8Array): Code & { readonly unused: number } {
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const starts = new Uint16Array(MAX_CODE_BITS + 2);
  let unused = 1;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    unused = 2 * unused - (counts[bits] ?? 0);
    if (unused < 0) break;
    starts[bits + 1] = (starts[bits] ?? 0) + (counts[bits] ?? 0);
  }
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    const position = starts[length] ?? 0;
    symbols[position] = symbol;
    starts[length] = position + 1;
  });
  return { counts, symbols, unused };
}

/** Longer codes are numerically larger, so the first length whose codes reach the bits read so far decides. */
function readSymbol(input: BitReader, { counts, symbols }: Code): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    code |= input.bits(1);
    const count = counts[bits] ?? 0;
    if (code - first < count) return symbols[index + code - first] ?? 0;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return input.fail("INFLATE_BAD_CODE");
}

const FIXED_LENGTHS = buildCode(
  Uint8Array.from({ length: 288 }, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
);
const FIXED_DISTANCES = buildCode(new Uint8Array(30).fill(5));

function inflateStored(input: BitReader, output: Output): void {
  const [low = 0, high = 0, notLow = 0, notHigh = 0] = input.alignedBytes(4);
  if (notLow !== (low ^ 0xff) || notHigh !== (high ^ 0xff)) input.fail("INFLATE_BAD_BLOCK");
  output.append(input.alignedBytes(low | (high << 8)));
}

function inflateCoded(input: BitReader, output: Output, lengths: Code, distances: Code): void {
  for (;;) {
    const symbol = readSymbol(input, lengths);
    if (symbol < END_OF_BLOCK) {
      output.byte(symbol);
      continue;
    }
    if (symbol === END_OF_BLOCK) return;
    const index = symbol - END_OF_BLOCK - 1;
    const lengthBase = LENGTH_BASE[index];
    if (lengthBase === undefined) input.fail("INFLATE_BAD_CODE");
    const length = lengthBase + input.bits(LENGTH_EXTRA_BITS[index] ?? 0);
    const distanceSymbol = readSymbol(input, distances);
    const distanceBase = DISTANCE_BASE[distanceSymbol];
    if (distanceBase === undefined) input.fail("INFLATE_BAD_CODE");
    output.repeat(length, distanceBase + input.bits(DISTANCE_EXTRA_BITS[distanceSymbol] ?? 0));
  }
}

function readCodes(input: BitReader): { readonly lengths: Code; readonly distances: Code } {
  const lengthCount = input.bits(5) + 257;
  const distanceCount = input.bits(5) + 1;
  const orderCount = input.bits(4) + 4;
  if (lengthCount > LENGTH_CODE_LIMIT || distanceCount > DISTANCE_CODE_LIMIT) input.fail("INFLATE_BAD_BLOCK");
  const orderLengths = new Uint8Array(CODE_LENGTH_ORDER.length);
  for (const symbol of CODE_LENGTH_ORDER.slice(0, orderCount)) orderLengths[symbol] = input.bits(3);
  const orderCode = buildCode(orderLengths);
  if (orderCode.unused !== 0) input.fail("INFLATE_BAD_CODE");

  const all = readCodeLengths(input, orderCode, lengthCount + distanceCount);
  if (all[END_OF_BLOCK] === 0) input.fail("INFLATE_BAD_CODE");
  return {
    lengths: checkedCode(input, all.subarray(0, lengthCount)),
    distances: checkedCode(input, all.subarray(lengthCount)),
  };
}

function readCodeLengths(input: BitReader, code: Code, total: number): Uint8Array {
  const lengths = new Uint8Array(total);
  let index = 0;
  while (index < total) {
    const symbol = readSymbol(input, code);
    if (symbol < 16) {
      lengths[index++] = symbol;
      continue;
    }
    if (symbol === 16 && index === 0) input.fail("INFLATE_BAD_CODE");
    const value = symbol === 16 ? (lengths[index - 1] ?? 0) : 0;
    const count = symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7);
    if (index + count > total) input.fail("INFLATE_BAD_CODE");
    lengths.fill(value, index, index + count);
    index += count;
  }
  return lengths;
}

/** A code must use every bit pattern; only one of at most a single one-bit code may leave patterns over, as in zlib. */
function checkedCode(input: BitReader, lengths: Uint8Array): Code {
  const code = buildCode(lengths);
  const isTrivial = lengths.every((length) => length <= 1);
  if (code.unused < 0 || (code.unused > 0 && !isTrivial)) input.fail("INFLATE_BAD_CODE");
  return code;
}
