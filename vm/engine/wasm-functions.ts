/** The parsed functions of a wasm binary: signatures, imports and bodies as instruction lists. specs/vm/engine/engine.md */
import { assert } from "../../primitives/errors.ts";
import {
  ByteReader,
  type Instruction,
  readInstruction,
  readSections,
  SECTION,
  type Section,
} from "./wasm-reader.ts";

export type Signature = { readonly parameters: readonly number[]; readonly results: readonly number[] };

export type FunctionBody = {
  readonly type: number;
  readonly signature: Signature;
  /** The local declarations as they stand in the binary, without their count. */
  readonly locals: { readonly groups: number; readonly bytes: Uint8Array; readonly count: number };
  readonly instructions: readonly Instruction[];
};

export type ParsedModule = {
  readonly sections: readonly Section[];
  readonly signatures: readonly Signature[];
  /** Signature of every function, imported ones first. */
  readonly functionTypes: readonly number[];
  readonly importedFunctions: number;
  readonly bodies: readonly FunctionBody[];
  /** Instruction offsets count from the start of this section's data. */
  readonly code: Uint8Array;
  /** Functions reachable by an indirect call. */
  readonly tableFunctions: readonly number[];
};

export function parseModule(binary: Uint8Array): ParsedModule {
  const sections = readSections(binary);
  const signatures = readSignatures(reader(sections, SECTION.type));
  const importedTypes = readImportedFunctionTypes(reader(sections, SECTION.import));
  const functions = reader(sections, SECTION.function);
  const functionTypes = [...importedTypes, ...functions.vector(() => functions.u32())];
  const importedFunctions = importedTypes.length;
  const code = reader(sections, SECTION.code);
  let next = importedFunctions;
  const bodies = code.vector(() => {
    const type = functionTypes[next++] ?? -1;
    return readBody(code, type, signatureAt(signatures, type));
  });
  const tableFunctions = readTable(reader(sections, SECTION.element));
  return { sections, signatures, functionTypes, importedFunctions, bodies, code: code.bytes, tableFunctions };
}

export function sectionData(sections: readonly Section[], id: number): Uint8Array {
  const section = sections.find((candidate) => candidate.id === id);
  assert(section !== undefined, `the engine binary has section ${id}`);
  return section.data;
}

export function signatureAt(signatures: readonly Signature[], type: number): Signature {
  const signature = signatures[type];
  assert(signature !== undefined, "a wasm type index is in range");
  return signature;
}

function reader(sections: readonly Section[], id: number): ByteReader {
  return new ByteReader(sectionData(sections, id));
}

function readSignatures(types: ByteReader): Signature[] {
  return types.vector(() => {
    assert(types.u8() === 0x60, "a wasm type is a function type");
    return { parameters: [...types.take(types.u32())], results: [...types.take(types.u32())] };
  });
}

function readImportedFunctionTypes(imports: ByteReader): number[] {
  const found: number[] = [];
  imports.vector(() => {
    imports.name();
    imports.name();
    const kind = imports.u8();
    if (kind === 0) {
      found.push(imports.u32());
      return;
    }
    assert(kind === 2, "the engine binary imports functions and its memory");
    const hasMaximum = imports.u8() & 1;
    imports.u32();
    if (hasMaximum === 1) imports.u32();
  });
  return found;
}

function readBody(code: ByteReader, type: number, signature: Signature): FunctionBody {
  const end = code.u32() + code.position;
  const groups = code.u32();
  const localsStart = code.position;
  let count = signature.parameters.length;
  for (let group = 0; group < groups; group++) {
    count += code.u32();
    code.u8();
  }
  const bytes = code.bytes.subarray(localsStart, code.position);
  const instructions: Instruction[] = [];
  while (code.position < end) instructions.push(readInstruction(code));
  return { type, signature, locals: { groups, bytes, count }, instructions };
}

function readTable(elements: ByteReader): number[] {
  const found: number[] = [];
  elements.vector(() => {
    assert(elements.u32() === 0, "table segments are active, on table 0");
    readInstruction(elements);
    readInstruction(elements);
    found.push(...elements.vector(() => elements.u32()));
  });
  return found;
}
