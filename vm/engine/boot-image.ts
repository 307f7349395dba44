/** The engine after its boot, as bytes: starting from them saves a tenth of a second. specs/vm/engine/engine.md#boot-image */
import { bytesToUtf8, utf8ToBytes } from "../../primitives/bytes.ts";
import type { Booted } from "./boot.ts";
import { baseImage } from "./snapshot.ts";
import { ByteReader } from "./wasm-reader.ts";
import { ByteWriter } from "./wasm-writer.ts";

/** The handles as JSON, the static data, the heap; each with its length before it. */
export function encodeBoot({ handles, base }: Booted): Uint8Array {
  const out = new ByteWriter(1024 + base.data.length + base.heap.length);
  out.sized(utf8ToBytes(JSON.stringify({ ...handles, entries: [...handles.entries] })));
  out.sized(base.data);
  out.sized(base.heap);
  return out.finish().slice();
}

/** Trusts its input: whoever reads it from disk has checked its hash. */
export function decodeBoot(image: Uint8Array): Booted {
  const reader = new ByteReader(image);
  const handles = JSON.parse(bytesToUtf8(reader.take(reader.u32())));
  const data = reader.take(reader.u32());
  const heap = reader.take(reader.u32());
  return { handles: { ...handles, entries: new Map(handles.entries) }, base: baseImage(data, heap) };
}
