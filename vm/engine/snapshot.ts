/** The whole state of an instance as plain bytes, and as a delta against the base. specs/vm/engine/engine.md#snapshots */

import { CodedError } from "../../primitives/errors.ts";
import { INITIAL_PAGES, PAGE_BYTES } from "./image.ts";
import { MARKED_PAGE_SHIFT, STACK_TOP } from "./memory-layout.ts";
import { ByteReader } from "./wasm-reader.ts";
import { ByteWriter } from "./wasm-writer.ts";

/** Everything a run can see: static data and heap. The stack is empty between runs, all else is zero. */
export type Snapshot = {
  readonly data: Uint8Array;
  readonly heap: Uint8Array;
  /** Marked pages in which it may differ from the base snapshot; a restore looks at no others. */
  readonly pages: readonly number[];
};

export type SnapshotErrorDetail = { readonly code: "SNAPSHOT_DELTA_MALFORMED"; readonly reason: string };

export class SnapshotError extends CodedError<SnapshotErrorDetail> {}

/** Equal runs shorter than this are written out: a new entry would take about as much. */
const MERGE_GAP_BYTES = 8;

/**
 * What differs from `base`, byte by byte: data length and heap length, then pairs of a count of equal bytes
 * and the sized bytes that follow them. One encoding for each pair of snapshots.
 */
export function encodeDelta(base: Snapshot, snapshot: Snapshot): Uint8Array {
  const out = new ByteWriter(65_536);
  out.u32(snapshot.data.length);
  out.u32(snapshot.heap.length);
  const pages = candidatePages(snapshot);
  writeDifferences(out, base.data, snapshot.data, pages, 0);
  writeDifferences(out, base.heap, snapshot.heap, pages, STACK_TOP);
  return out.finish().slice();
}

/**
 * By page, whether it may differ from the base: a store that is marked on one page may reach into the next. Comparing
 * nothing else takes a third of the time.
 */
function candidatePages({ pages }: Snapshot): Uint8Array {
  const candidates = new Uint8Array(((INITIAL_PAGES * PAGE_BYTES) >> MARKED_PAGE_SHIFT) + 1);
  for (const page of pages) {
    candidates[page] = 1;
    candidates[page + 1] = 1;
  }
  return candidates;
}

/** @throws SnapshotError when `delta` is not one that encodeDelta made for `base`. */
export function applyDelta(base: Snapshot, delta: Uint8Array): Snapshot {
  const reader = new ByteReader(delta);
  const dataLength = readCount(reader);
  const heapLength = readCount(reader);
  if (dataLength !== base.data.length || heapLength > INITIAL_PAGES * PAGE_BYTES) throw malformed("lengths");
  const pages = new Set<number>();
  const data = readDifferences(reader, base.data, dataLength, pages, 0);
  const heap = readDifferences(reader, base.heap, heapLength, pages, STACK_TOP);
  if (reader.position !== delta.length) throw malformed("trailing bytes");
  // What the base has behind the end is zero in this one.
  addPages(pages, STACK_TOP + heapLength, STACK_TOP + base.heap.length);
  return { data, heap, pages: [...pages] };
}

/** Adds the pages of the bytes from `start` to `end`. */
function addPages(pages: Set<number>, start: number, end: number): void {
  for (let page = start >>> MARKED_PAGE_SHIFT; page << MARKED_PAGE_SHIFT < end; page++) pages.add(page);
}

function readCount(reader: ByteReader): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 28 && reader.position < reader.bytes.length; scale *= 128) {
    const byte = reader.u8();
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  throw malformed("a count is cut short");
}

function malformed(reason: string): SnapshotError {
  return new SnapshotError({ code: "SNAPSHOT_DELTA_MALFORMED", reason });
}

/** The bytes begin at `address`; only `pages` can differ. */
function writeDifferences(
  out: ByteWriter,
  base: Uint8Array,
  bytes: Uint8Array,
  pages: Uint8Array,
  address: number,
): void {
  let written = 0;
  for (let start = nextDifference(base, bytes, 0, pages, address); start < bytes.length; ) {
    let end = start + 1;
    let next = nextDifference(base, bytes, end, pages, address);
    while (next < bytes.length && next - end < MERGE_GAP_BYTES) {
      end = next + 1;
      next = nextDifference(base, bytes, end, pages, address);
    }
    out.u32(start - written);
    out.sized(bytes.subarray(start, end));
    written = end;
    start = next;
  }
  out.u32(bytes.length - written);
  out.u32(0);
}

/** Bytes past the end of the base count as zero there, as a restore leaves them. */
function nextDifference(
  base: Uint8Array,
  bytes: Uint8Array,
  from: number,
  pages: Uint8Array,
  address: number,
): number {
  let at = from;
  while (at < bytes.length) {
    const page = (address + at) >>> MARKED_PAGE_SHIFT;
    const end = Math.min(bytes.length, ((page + 1) << MARKED_PAGE_SHIFT) - address);
    if (pages[page] === 0) at = end;
    else while (at < end && bytes[at] === (base[at] ?? 0)) at++;
    if (at < end) return at;
  }
  return bytes.length;
}

function readDifferences(
  reader: ByteReader,
  base: Uint8Array,
  length: number,
  pages: Set<number>,
  address: number,
): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(base.subarray(0, length));
  for (let at = 0; ; ) {
    at += readCount(reader);
    const changed = readCount(reader);
    if (at + changed > length || reader.position + changed > reader.bytes.length) {
      throw malformed("a difference runs past the end");
    }
    if (changed === 0 && at === length) return bytes;
    bytes.set(reader.take(changed), at);
    addPages(pages, address + at, address + at + changed);
    at += changed;
  }
}
