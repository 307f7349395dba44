/** Cheap signatures and payloads that can be checked like real ones: right or wrong, never just "yes". */

import type { Effect } from "../../consensus/engine-events.ts";
import type { ExecutionPayload } from "../../consensus/payload-containers.ts";
import type { SignatureSet } from "../../primitives/bls.ts";
import { concatBytes, equalBytes, fromHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";

/** 96 bytes made of key and message; anyone can make them, the simulator's nodes do not. */
export function signCheaply(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = sha256(concatBytes(publicKey, message));
  return concatBytes(digest, digest, digest);
}

/** Signatures add up by exclusive or, as points on the curve add up. */
export function aggregateCheaply(signatures: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(96);
  for (const signature of signatures) for (let i = 0; i < 96; i++) sum[i]! ^= signature[i]!;
  return sum;
}

export function verifyCheaply({ publicKeys, message, signature }: SignatureSet): boolean {
  return equalBytes(aggregateCheaply(publicKeys.map((key) => signCheaply(key, message))), signature);
}

/** A payload without transactions that pays what it must and whose hash commits to its parent, time and randomness. */
export function buildCheaply(
  empty: ExecutionPayload,
  wish: Pick<Effect & { type: "buildPayload" }, "parentHash" | "timestamp" | "prevRandao" | "withdrawals">,
): ExecutionPayload {
  const payload = {
    ...empty,
    parentHash: fromHex(wish.parentHash),
    timestamp: wish.timestamp,
    prevRandao: fromHex(wish.prevRandao),
    withdrawals: [...wish.withdrawals],
  };
  return { ...payload, blockHash: payloadHash(payload) };
}

export function isPayloadValid(payload: ExecutionPayload): boolean {
  return equalBytes(payload.blockHash, payloadHash(payload));
}

function payloadHash({ parentHash, timestamp, prevRandao }: ExecutionPayload): Uint8Array {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timestamp));
  return sha256(concatBytes(parentHash, time, prevRandao));
}
