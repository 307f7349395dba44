/** A contract ready to run as bytes for the disk, which is not trusted to keep them. See specs/vm/contract/machine.md#cache. */
import {
  bytesToUtf8,
  concatBytes,
  equalBytes,
  fromHex,
  type Hash,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import type { Engine } from "../engine/engine.ts";
import { applyDelta, encodeDelta } from "../engine/snapshot.ts";
import { type RecordedDeclaration, replayDeclarations } from "./declaration-record.ts";
import type { LoadedContract } from "./snapshot-cache.ts";

/** Keeps what is evaluated anew when it is lost. Whatever it gives back is checked. */
export interface SnapshotStore {
  get(codeHash: Hash): Uint8Array | undefined;
  put(codeHash: Hash, contract: Uint8Array): void;
}

/** `JSNP` and the version of this format. */
const MAGIC = Uint8Array.of(0x4a, 0x53, 0x4e, 0x50, 1);
const HASH_SIZE = 32;
const HEADER_SIZE = MAGIC.length + 3 * HASH_SIZE;
const LENGTH_SIZE = 4;

/** Magic, engine id, code hash, SHA-256 of the rest; then the declarations as sized JSON, and the snapshot's delta. */
export function encodeContract(engine: Engine, codeHash: Hash, contract: LoadedContract): Uint8Array {
  const declarations = utf8ToBytes(JSON.stringify(contract.declarations));
  const length = new Uint8Array(LENGTH_SIZE);
  new DataView(length.buffer).setUint32(0, declarations.length);
  const body = concatBytes(length, declarations, encodeDelta(engine.base, contract.snapshot));
  return concatBytes(headerOf(engine, codeHash, body), body);
}

/** Undefined when the bytes are not, to the last, what `encodeContract` made of this code on this engine. */
export function decodeContract(
  engine: Engine,
  codeHash: Hash,
  bytes: Uint8Array,
): LoadedContract | undefined {
  if (bytes.length < HEADER_SIZE + LENGTH_SIZE) return undefined;
  const body = bytes.subarray(HEADER_SIZE);
  if (!equalBytes(bytes.subarray(0, HEADER_SIZE), headerOf(engine, codeHash, body))) return undefined;
  // From here on the bytes are our own.
  const end = LENGTH_SIZE + new DataView(body.buffer, body.byteOffset).getUint32(0);
  const declarations: readonly RecordedDeclaration[] = JSON.parse(
    bytesToUtf8(body.subarray(LENGTH_SIZE, end)),
  );
  const definition = replayDeclarations(declarations);
  if (definition === undefined) return undefined;
  const delta = body.subarray(end);
  const snapshot = applyDelta(engine.base, delta);
  return { definition, declarations, snapshot, deltaBytes: delta.length };
}

function headerOf(engine: Engine, codeHash: Hash, body: Uint8Array): Uint8Array {
  return concatBytes(MAGIC, fromHex(engine.id), fromHex(codeHash), sha256(body));
}
