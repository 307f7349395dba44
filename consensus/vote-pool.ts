/** Votes seen on gossip, kept for inclusion in blocks and as evidence. See specs/consensus/duties.md#packing. */
import type { Hash } from "../primitives/bytes.ts";
import type { AttestationData } from "./containers.ts";
import type { Slot } from "./time.ts";
import type { SignedVote } from "./vote-records.ts";

/** Slots a vote waits for inclusion; honest votes are in the next block or a few later. */
export const POOL_SLOTS = 64;

/** All votes with the same data. */
export type PooledVotes = {
  readonly data: AttestationData;
  /** Signature of each voter, each of them verified. */
  readonly signatures: Map<number, Uint8Array>;
};

/**
 * By data root. At most one vote per validator and target epoch gets in (gossip rule), which bounds the
 * pool at POOL_SLOTS times the validators.
 */
export type VotePool = Map<Hash, PooledVotes>;

export function addToPool(
  pool: VotePool,
  { key, data, signature }: SignedVote,
  validatorIndex: number,
): void {
  let votes = pool.get(key);
  if (votes === undefined) {
    votes = { data, signatures: new Map() };
    pool.set(key, votes);
  }
  votes.signatures.set(validatorIndex, signature);
}

export function prunePool(pool: VotePool, nowSlot: Slot): void {
  for (const [key, { data }] of pool) if (data.slot + POOL_SLOTS < nowSlot) pool.delete(key);
}
