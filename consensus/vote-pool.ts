/** Votes seen on gossip, kept for aggregates, for inclusion in blocks and as evidence. See specs/consensus/duties.md#packing. */
import { BitArray } from "@chainsafe/ssz";
import type { Hash } from "../primitives/bytes.ts";
import type { AttestationData } from "./containers.ts";
import { without } from "./tallies.ts";
import type { Slot } from "./time.ts";
import type { SignedVote } from "./vote-records.ts";

/** Slots a vote waits for inclusion; honest votes are in the next block or a few later. */
export const POOL_SLOTS = 64;
/** Aggregates kept of one committee's votes with one data: the widest, none inside another. */
export const AGGREGATES_PER_COMMITTEE = 4;

/** Votes of one committee under one signature, which is verified. */
export type PooledAggregate = { readonly bits: BitArray; readonly signature: Uint8Array };

/** All votes with the same data. */
export type PooledVotes = {
  readonly data: AttestationData;
  /** Signature of each voter that sent its vote alone, each of them verified. */
  readonly signatures: Map<number, Uint8Array>;
  /** By committee; empty where a slot has one committee. */
  readonly aggregates: Map<number, readonly PooledAggregate[]>;
  /** All of these voters, as bits by validator index: what a block can gain at most. */
  voters: Uint8Array;
};

/**
 * By data root. At most one vote per validator and target epoch gets in (gossip rule), alone or by an aggregator's
 * one aggregate, which bounds the pool at POOL_SLOTS times the validators.
 */
export type VotePool = Map<Hash, PooledVotes>;

/** One validator's vote: all votes with its data, and the signature beside them. */
export function addToPool(
  pool: VotePool,
  { key, data, signature }: SignedVote,
  validatorIndex: number,
): void {
  const votes = votesWith(pool, key, data);
  votes.signatures.set(validatorIndex, signature);
  addVoters(votes, [validatorIndex]);
}

/** An aggregate; kept unless what is kept covers it, and above the limit in place of the narrowest. */
export function addAggregateToPool(
  pool: VotePool,
  { key, data, validatorIndices }: Pick<SignedVote, "key" | "data" | "validatorIndices">,
  committeeIndex: number,
  added: PooledAggregate,
): void {
  const votes = votesWith(pool, key, data);
  const { aggregates } = votes;
  const kept = aggregates.get(committeeIndex) ?? [];
  if (kept.some(({ bits }) => covers(bits, added.bits))) return;
  const widest = [...kept.filter(({ bits }) => !covers(added.bits, bits)), added].sort(
    (a, b) => countBits(b.bits) - countBits(a.bits),
  );
  aggregates.set(committeeIndex, widest.slice(0, AGGREGATES_PER_COMMITTEE));
  addVoters(votes, validatorIndices);
}

function addVoters(votes: PooledVotes, validatorIndices: readonly number[]): void {
  const bytes = ((validatorIndices.at(-1) ?? 0) >> 3) + 1;
  if (bytes > votes.voters.length) {
    const larger = new Uint8Array(Math.max(bytes, 2 * votes.voters.length));
    larger.set(votes.voters);
    votes.voters = larger;
  }
  const { voters } = votes;
  for (const index of validatorIndices) voters[index >> 3] = (voters[index >> 3] ?? 0) | (1 << (index & 7));
}

/** Whether an aggregate with these votes would bring nothing that is not already in one of the kept ones. */
export function isAggregateCovered(
  pool: VotePool,
  key: Hash,
  committeeIndex: number,
  bits: BitArray,
): boolean {
  const kept = pool.get(key)?.aggregates.get(committeeIndex) ?? [];
  return kept.some((aggregate) => covers(aggregate.bits, bits));
}

export function prunePool(pool: VotePool, nowSlot: Slot): void {
  for (const [key, { data }] of pool) if (data.slot + POOL_SLOTS < nowSlot) pool.delete(key);
}

/** What is known of a committee's votes with one data, and the signatures that add up to it. */
export type CommitteeVotes = { readonly bits: BitArray; readonly signatures: readonly Uint8Array[] };

/**
 * The widest union of a committee's votes that one signature can stand for: aggregates that do not overlap, the
 * widest first, then single votes. A vote must not be in it twice, since its signature would be added twice.
 * Undefined when there is none.
 */
export function combineVotes(
  votes: PooledVotes,
  committeeIndex: number,
  committee: Uint32Array,
): CommitteeVotes | undefined {
  const bytes = new Uint8Array(Math.ceil(committee.length / 8));
  const bits = new BitArray(bytes, committee.length);
  const signatures: Uint8Array[] = [];
  for (const aggregate of votes.aggregates.get(committeeIndex) ?? []) {
    const isFitting = aggregate.bits.bitLen === bits.bitLen;
    if (!isFitting || aggregate.bits.uint8Array.some((byte, i) => (byte & (bytes[i] ?? 0)) !== 0)) continue;
    for (const [i, byte] of aggregate.bits.uint8Array.entries()) bytes[i] = (bytes[i] ?? 0) | byte;
    signatures.push(aggregate.signature);
  }
  if (votes.signatures.size > 0) {
    for (const [position, voter] of committee.entries()) {
      const signature = bits.get(position) ? undefined : votes.signatures.get(voter);
      if (signature === undefined) continue;
      bits.set(position, true);
      signatures.push(signature);
    }
  }
  return signatures.length === 0 ? undefined : { bits, signatures };
}

function votesWith(pool: VotePool, key: Hash, data: AttestationData): PooledVotes {
  let votes = pool.get(key);
  if (votes === undefined) {
    votes = { data, signatures: new Map(), aggregates: new Map(), voters: new Uint8Array(0) };
    pool.set(key, votes);
  }
  return votes;
}

function covers(wide: BitArray, narrow: BitArray): boolean {
  return wide.bitLen === narrow.bitLen && without(narrow, wide).uint8Array.every((byte) => byte === 0);
}

function countBits(bits: BitArray): number {
  return bits.getTrueBitIndexes().length;
}
