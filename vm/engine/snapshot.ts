/** The whole state of an instance as plain bytes, and as a delta against the base. specs/vm/engine/engine.md#snapshots */

import { CodedError } from "../../primitives/errors.ts";
import { ByteReader } from "./wasm-reader.ts";
import { ByteWriter } from "./wasm-writer.ts";

/** Everything a run can see: static data and heap. The stack is empty between runs, all else is zero. */
export type Snapshot = { readonly data: Uint8Array; readonly heap: Uint8Array };

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
export function applyDelta(base: Snapshot, delta: Uint8Array, limitBytes: number): Snapshot {
  const reader = new ByteReader(delta);
  const dataLength = reader.u32();
  const heapLength = reader.u32();
  if (dataLength !== base.data.length || heapLength > limitBytes) {
    throw new SnapshotError({ code: "SNAPSHOT_DELTA_MALFORMED", reason: "lengths" });
  }
  const data = readDifferences(reader, base.data, dataLength);
  const heap = readDifferences(reader, base.heap, heapLength);
  if (reader.position !== delta.length) {
    throw new SnapshotError({ code: "SNAPSHOT_DELTA_MALFORMED", reason: "trailing bytes" });
  }
  return { data, heap };
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
    at += reader.u32();
    const changed = reader.u32();
    if (at + changed > length || reader.position + changed > reader.bytes.length) {
      throw new SnapshotError({ code: "SNAPSHOT_DELTA_MALFORMED", reason: "a difference runs past the end" });
    }
    if (changed === 0 && at === length) return bytes;
    bytes.set(reader.take(changed), at);
    at += changed;
  }
}
