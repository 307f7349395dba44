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
  writeDifferences(out, base.data, snapshot.data);
  writeDifferences(out, base.heap, snapshot.heap);
  return out.finish().slice();
}

/** @throws SnapshotError when `delta` is not one that encodeDelta made for `base`. */
export function applyDelta(base: Snapshot, delta: Uint8Array): Snapshot {
  const reader = new ByteReader(delta);
  const dataLength = readCount(reader);
  const heapLength = readCount(reader);
  if (dataLength !== base.data.length || heapLength > INITIAL_PAGES * PAGE_BYTES) throw malformed("lengths");
  const data = readDifferences(reader, base.data, dataLength);
  const heap = readDifferences(reader, base.heap, heapLength);
  if (reader.position !== delta.length) throw malformed("trailing bytes");
  return { data, heap, pages: changedPages(base, { data, heap }) };
}

/** Marked pages in which two snapshots differ. */
function changedPages(base: Snapshot, { data, heap }: Omit<Snapshot, "pages">): number[] {
  const pages = new Set<number>();
  for (const [address, before, after] of [
    [0, base.data, data],
    [STACK_TOP, base.heap, heap],
  ] as const) {
    const length = Math.max(before.length, after.length);
    for (let at = 0; at < length; at++) {
      if ((before[at] ?? 0) !== (after[at] ?? 0)) pages.add((address + at) >>> MARKED_PAGE_SHIFT);
    }
  }
  return [...pages];
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

function writeDifferences(out: ByteWriter, base: Uint8Array, bytes: Uint8Array): void {
  let written = 0;
  for (let start = nextDifference(base, bytes, 0); start < bytes.length; ) {
    let end = start + 1;
    let next = nextDifference(base, bytes, end);
    while (next < bytes.length && next - end < MERGE_GAP_BYTES) {
      end = next + 1;
      next = nextDifference(base, bytes, end);
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
function nextDifference(base: Uint8Array, bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === (base[at] ?? 0)) at++;
  return at;
}

function readDifferences(reader: ByteReader, base: Uint8Array, length: number): Uint8Array {
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
    at += changed;
  }
}
