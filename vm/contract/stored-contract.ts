/** A contract ready to run as bytes for the disk, which is not trusted to keep them. See specs/vm/contract/machine.md#cache. */
import { concatBytes, equalBytes, fromHex, type Hash } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import type { Engine } from "../engine/engine.ts";
import { applyDelta, encodeDelta } from "../engine/snapshot.ts";
import { decodeDeclarations, encodeDeclarations, replayDeclarations } from "./declaration-record.ts";
import type { LoadedContract } from "./snapshot-cache.ts";

/** Keeps what is evaluated anew when it is lost. Whatever it gives back is checked. */
export interface SnapshotStore {
  /**
   * What was put, or something else. Shows its first STORED_HEAD_BYTES to `isWanted` and reads no more when they are
   * not; undefined then, or when there is nothing.
   */
  get(codeHash: Hash, isWanted: (head: Uint8Array) => boolean): Uint8Array | undefined;
  put(codeHash: Hash, contract: Uint8Array): void;
}

/** What it takes to load a contract: a function of its code alone. */
export type LoadSize = {
  /** Pages of the snapshot that differ from the base: what a call restores. */
  readonly pageCount: number;
  /** Bytes that tell how they differ. */
  readonly deltaBytes: number;
  /** Bytes of what the module declared. */
  readonly definitionBytes: number;
};

/** `JSNP` and the version of this format. */
const MAGIC = Uint8Array.of(0x4a, 0x53, 0x4e, 0x50, 2);
const HASH_SIZE = 32;
const NUMBER_SIZE = 4;
const SIZES_START = MAGIC.length + 2 * HASH_SIZE;
const BODY_HASH_START = SIZES_START + 4 * NUMBER_SIZE;
const HEAD_HASH_START = BODY_HASH_START + HASH_SIZE;
export const STORED_HEAD_BYTES = HEAD_HASH_START + HASH_SIZE;

/**
 * The head: magic, engine id, code hash, number of pages, sizes of delta and declarations, number of functions, SHA-256
 * of the body, SHA-256 of the head until here. The body: the snapshot's delta, the functions' selectors, the declarations.
 */
export function encodeContract(engine: Engine, codeHash: Hash, contract: LoadedContract): Uint8Array {
  const { selectors } = contract.definition;
  const delta = encodeDelta(contract.snapshot);
  const declarations = encodeDeclarations(contract.declarations);
  const body = concatBytes(delta, ...selectors.map(bigEndian), declarations);
  const sizes = [contract.pageCount, delta.length, declarations.length, selectors.length].map(bigEndian);
  const head = concatBytes(MAGIC, fromHex(engine.id), fromHex(codeHash), ...sizes, sha256(body));
  return concatBytes(head, sha256(head), body);
}

/** The sizes that a head tells; undefined when it is not one of this code on this engine. */
export function readLoadSize(engine: Engine, codeHash: Hash, head: Uint8Array): LoadSize | undefined {
  if (head.length !== STORED_HEAD_BYTES) return undefined;
  const expected = concatBytes(MAGIC, fromHex(engine.id), fromHex(codeHash));
  if (!equalBytes(head.subarray(0, SIZES_START), expected)) return undefined;
  if (!equalBytes(head.subarray(HEAD_HASH_START), sha256(head.subarray(0, HEAD_HASH_START))))
    return undefined;
  const [pageCount, deltaBytes, definitionBytes] = [numberAt(head, 0), numberAt(head, 1), numberAt(head, 2)];
  return { pageCount, deltaBytes, definitionBytes };
}

/** Undefined when the bytes are not, to the last, what `encodeContract` made of this code on this engine. */
export function decodeContract(
  engine: Engine,
  codeHash: Hash,
  bytes: Uint8Array,
): LoadedContract | undefined {
  const head = bytes.subarray(0, STORED_HEAD_BYTES);
  const size = readLoadSize(engine, codeHash, head);
  if (size === undefined) return undefined;
  const body = bytes.subarray(STORED_HEAD_BYTES);
  if (!equalBytes(head.subarray(BODY_HASH_START, HEAD_HASH_START), sha256(body))) return undefined;
  // From here on the bytes are our own.
  const { deltaBytes } = size;
  const view = new DataView(body.buffer, body.byteOffset);
  const selectors = Array.from({ length: numberAt(head, 3) }, (_, i) =>
    view.getUint32(deltaBytes + NUMBER_SIZE * i),
  );
  const declarations = decodeDeclarations(body.subarray(deltaBytes + NUMBER_SIZE * selectors.length));
  const definition = replayDeclarations(declarations, selectors);
  const snapshot = applyDelta(engine.base.base, body.subarray(0, deltaBytes));
  return { definition, declarations, snapshot, ...size };
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_SIZE);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The number in the head that has `index` others before it. */
function numberAt(head: Uint8Array, index: number): number {
  return new DataView(head.buffer, head.byteOffset).getUint32(SIZES_START + NUMBER_SIZE * index);
}
