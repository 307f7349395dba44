/** Rewrites the engine's binary so that it counts ticks and its stack. specs/vm/engine/engine.md#the-binary */
import type { Granularity } from "./block-charges.ts";
import { BodyRewriter } from "./body-rewriter.ts";
import { findCPatches } from "./c-patches.ts";
import { computeRecursiveFrameBounds } from "./frame-bounds.ts";
import { limitMemory, moveHeap, moveStackPointer } from "./memory-layout.ts";
import {
  ADDED_GLOBALS,
  type AddedFunction,
  addedFunctions,
  layOut,
  type MeterLayout,
} from "./meter-runtime.ts";
import { type ParsedModule, parseModule, type Signature, sectionData } from "./wasm-functions.ts";
import { ByteReader, OP, SECTION } from "./wasm-reader.ts";
import { assemble, ByteWriter } from "./wasm-writer.ts";

const EXPORT_FUNCTION = 0;
const EXPORT_GLOBAL = 3;

/**
 * The metered binary: same behaviour, but for the changes of `c-patches.ts`, and the exports of
 * `meter-runtime.ts`. A pure function of its input; ~0.2 s for the engine.
 */
export function meter(binary: Uint8Array, granularity: Granularity = "block"): Uint8Array {
  const module = parseModule(binary);
  const globals = moveStackPointer(sectionData(module.sections, SECTION.global));
  const layout = layOut(new ByteReader(globals).u32(), module.functionTypes.length);
  const added = addedFunctions(layout);
  const signatures = [...module.signatures];
  const addedTypes = added.map(({ signature }) => indexOfSignature(signatures, signature));
  const old = (id: number): Uint8Array => sectionData(module.sections, id);
  const replaced = new Map<number, Uint8Array>([
    [SECTION.type, writeSignatures(signatures)],
    [SECTION.import, limitMemory(old(SECTION.import))],
    [
      SECTION.function,
      extendVector(
        old(SECTION.function),
        addedTypes.map((type) => assemble((out) => out.u32(type))),
      ),
    ],
    [SECTION.global, extendVector(globals, ADDED_GLOBALS)],
    [SECTION.export, extendVector(old(SECTION.export), newExports(layout, added))],
    [SECTION.code, writeCode(module, layout, added, granularity)],
    [SECTION.data, moveHeap(old(SECTION.data))],
  ]);
  const out = new ByteWriter(4 * binary.length);
  out.append(binary.subarray(0, 8));
  for (const { id, data } of module.sections) {
    out.u8(id);
    out.sized(replaced.get(id) ?? data);
  }
  return out.finish().slice();
}

function writeCode(
  module: ParsedModule,
  layout: MeterLayout,
  added: readonly AddedFunction[],
  granularity: Granularity,
): Uint8Array {
  const frameBounds = computeRecursiveFrameBounds(module);
  const patches = findCPatches(module);
  const out = new ByteWriter(4 * module.code.length);
  out.u32(module.bodies.length + added.length);
  for (const [index, body] of module.bodies.entries()) {
    const rewriter = new BodyRewriter(module.code, layout, patches, body, frameBounds[index] ?? 0);
    out.sized(patches.skipped.has(index) ? RETURN_AT_ONCE : rewriter.rewrite(granularity));
  }
  for (const { body } of added) out.sized(body);
  return out.finish();
}

/** A body without locals or instructions. */
const RETURN_AT_ONCE = Uint8Array.of(0, OP.end);

function indexOfSignature(signatures: Signature[], wanted: Signature): number {
  const text = JSON.stringify(wanted);
  const found = signatures.findIndex((candidate) => JSON.stringify(candidate) === text);
  return found === -1 ? signatures.push(wanted) - 1 : found;
}

function writeSignatures(signatures: readonly Signature[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(signatures.length);
  for (const { parameters, results } of signatures) {
    out.u8(0x60);
    out.sized(Uint8Array.from(parameters));
    out.sized(Uint8Array.from(results));
  }
  return out.finish();
}

/** A section that is a vector, with more items at its end. */
function extendVector(section: Uint8Array, items: readonly Uint8Array[]): Uint8Array {
  const reader = new ByteReader(section);
  const out = new ByteWriter(section.length + 256);
  out.u32(reader.u32() + items.length);
  out.append(section.subarray(reader.position));
  for (const item of items) out.append(item);
  return out.finish();
}

function newExports(layout: MeterLayout, added: readonly AddedFunction[]): Uint8Array[] {
  const { stackPointer, stackFloor, stopReason } = layout;
  const globals = Object.entries({ stackPointer, stackFloor, stopReason });
  return [
    ...globals.map(([name, index]) => writeExport(name, EXPORT_GLOBAL, index)),
    ...added.flatMap(({ exportName }, offset) =>
      exportName === undefined ? [] : [writeExport(exportName, EXPORT_FUNCTION, layout.copyBytes + offset)],
    ),
  ];
}

function writeExport(name: string, kind: number, index: number): Uint8Array {
  return assemble((out) => {
    out.name(name);
    out.u8(kind);
    out.u32(index);
  });
}
