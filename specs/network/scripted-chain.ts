/** Blocks that are nothing but their links, for the specs of sync. */

import type { SyncBlock } from "../../node/sync/sync-port.ts";
import {
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  fromHex,
  type Hash,
  toHex,
  ZERO_HASH,
} from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";

export interface ScriptedBlock extends SyncBlock<Uint8Array> {
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 8 + 32;

/** The bytes are slot, parent root and padding; the padding also tells branches apart. */
export function scriptBlock(
  slot: number,
  parentRoot: Hash,
  padding: Uint8Array = new Uint8Array(0),
): ScriptedBlock {
  const bytes = concatBytes(bigIntToBytes(BigInt(slot), 8), fromHex(parentRoot), padding);
  return { ...readScripted(bytes), bytes };
}

/** @throws RangeError when the bytes are too short to be a block. */
export function readScripted(bytes: Uint8Array): SyncBlock<Uint8Array> {
  if (bytes.length < HEADER_BYTES) throw new RangeError("not a block");
  return {
    slot: Number(bytesToBigInt(bytes.subarray(0, 8))),
    parentRoot: toHex(bytes.subarray(8, HEADER_BYTES)),
    root: toHex(sha256(bytes)),
    block: bytes,
  };
}

/** A chain with a block at each slot, on top of `parentRoot`. */
export function scriptChain(
  slots: readonly number[],
  parentRoot: Hash = ZERO_HASH,
  branch = 0,
  blockBytes = HEADER_BYTES + 1,
): ScriptedBlock[] {
  const chain: ScriptedBlock[] = [];
  const padding = new Uint8Array(blockBytes - HEADER_BYTES).fill(branch);
  for (const slot of slots) chain.push(scriptBlock(slot, chain.at(-1)?.root ?? parentRoot, padding));
  return chain;
}

/** Slots `from` to `to`, both included. */
export function slots(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** What an honest node answers. */
export function serveRange(chain: readonly ScriptedBlock[], startSlot: number, count: number): Uint8Array[] {
  return chain
    .filter(({ slot }) => slot >= startSlot)
    .slice(0, count)
    .map(({ bytes }) => bytes);
}
