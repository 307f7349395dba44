/** Recursive Length Prefix, Ethereum's serialization (Yellow Paper appendix B). See specs/primitives/primitives.md#rlp. */
import { EMPTY_BYTES } from "./bytes.ts";
import { CodedError } from "./errors.ts";

/** A string of bytes, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

export type RlpErrorDetail = {
  readonly code:
    | "RLP_TOO_SHORT"
    | "RLP_TRAILING_BYTES"
    | "RLP_LEADING_ZERO_LENGTH"
    | "RLP_LONG_FORM_FOR_SHORT"
    | "RLP_SINGLE_BYTE_PREFIXED"
    | "RLP_LENGTH_TOO_LARGE"
    | "RLP_TOO_DEEP";
  readonly offset: number;
};

/** Bytes that are not the one canonical encoding of an item. */
export class RlpError extends CodedError<RlpErrorDetail> {}

/** Nesting a peer may send. Transactions and blocks use five levels. */
export const RLP_DEPTH_LIMIT = 64;

const SHORT_LIMIT = 55;

/** Encodes in two passes, lengths first and bytes second, so nothing is copied twice. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const lengths: number[] = [];
  const target = new Uint8Array(measure(item, lengths));
  write(item, target, 0, lengths, { next: 0 });
  return target;
}

/** Encoded size in bytes; the payload length of every list is noted in visiting order. */
function measure(item: RlpItem, lengths: number[]): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] ?? 0) < 0x80) return 1;
    return prefixSize(item.length) + item.length;
  }
  const index = lengths.push(0) - 1;
  let length = 0;
  for (const member of item) length += measure(member, lengths);
  lengths[index] = length;
  return prefixSize(length) + length;
}

function write(
  item: RlpItem,
  target: Uint8Array,
  offset: number,
  lengths: readonly number[],
  cursor: { next: number },
): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] ?? 0) < 0x80) {
      target[offset] = item[0] ?? 0;
      return offset + 1;
    }
    const start = writePrefix(target, offset, 0x80, item.length);
    target.set(item, start);
    return start + item.length;
  }
  let position = writePrefix(target, offset, 0xc0, lengths[cursor.next++] ?? 0);
  for (const member of item) position = write(member, target, position, lengths, cursor);
  return position;
}

function prefixSize(length: number): number {
  return length <= SHORT_LIMIT ? 1 : 1 + lengthSize(length);
}

function lengthSize(length: number): number {
  let size = 0;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size++;
  return size;
}

function writePrefix(target: Uint8Array, offset: number, base: 0x80 | 0xc0, length: number): number {
  if (length <= SHORT_LIMIT) {
    target[offset] = base + length;
    return offset + 1;
  }
  const size = lengthSize(length);
  target[offset] = base + SHORT_LIMIT + size;
  let rest = length;
  for (let i = size; i >= 1; i--) {
    target[offset + i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  return offset + 1 + size;
}

/**
 * Decodes exactly one item that fills `source`. Byte strings are views into `source`.
 * @throws RlpError when the bytes are not the canonical encoding of one item.
 */
export function decodeRlp(source: Uint8Array): RlpItem {
  const { item, end } = readItem(source, 0, source.length, 0);
  if (end !== source.length) throw new RlpError({ code: "RLP_TRAILING_BYTES", offset: end });
  return item;
}

type Decoded = { readonly item: RlpItem; readonly end: number };

function readItem(source: Uint8Array, offset: number, limit: number, depth: number): Decoded {
  if (offset >= limit) throw new RlpError({ code: "RLP_TOO_SHORT", offset });
  const prefix = source[offset] ?? 0;
  if (prefix < 0x80) return { item: source.subarray(offset, offset + 1), end: offset + 1 };

  const base = prefix < 0xc0 ? 0x80 : 0xc0;
  const { start, end } = readExtent(source, offset, limit, prefix - base);
  if (base === 0x80) {
    if (end - start === 1 && (source[start] ?? 0) < 0x80) {
      throw new RlpError({ code: "RLP_SINGLE_BYTE_PREFIXED", offset });
    }
    return { item: start === end ? EMPTY_BYTES : source.subarray(start, end), end };
  }
  if (depth >= RLP_DEPTH_LIMIT) throw new RlpError({ code: "RLP_TOO_DEEP", offset });
  const members: RlpItem[] = [];
  let position = start;
  while (position < end) {
    const member = readItem(source, position, end, depth + 1);
    members.push(member.item);
    position = member.end;
  }
  return { item: members, end };
}

/** Where the payload of an item lies, from its prefix relative to 0x80 or 0xc0. */
function readExtent(
  source: Uint8Array,
  offset: number,
  limit: number,
  relative: number,
): { readonly start: number; readonly end: number } {
  let start = offset + 1;
  let length = relative;
  if (relative > SHORT_LIMIT) {
    const size = relative - SHORT_LIMIT;
    if (start + size > limit) throw new RlpError({ code: "RLP_TOO_SHORT", offset });
    if (source[start] === 0) throw new RlpError({ code: "RLP_LEADING_ZERO_LENGTH", offset });
    length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + (source[start + i] ?? 0);
    if (!Number.isSafeInteger(length)) throw new RlpError({ code: "RLP_LENGTH_TOO_LARGE", offset });
    if (length <= SHORT_LIMIT) throw new RlpError({ code: "RLP_LONG_FORM_FOR_SHORT", offset });
    start += size;
  }
  if (start + length > limit) throw new RlpError({ code: "RLP_TOO_SHORT", offset });
  return { start, end: start + length };
}
