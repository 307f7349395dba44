/** Ethereum's swap-or-not shuffle, for one index and for whole lists. See specs/consensus/selection.md#shuffle. */
import { sha256 } from "../primitives/hash.ts";

/** Positions whose swap bits one hash decides. */
const POSITIONS_PER_HASH = 256;

/**
 * A function from an index to its shuffled index, for one seed and length. It remembers the hashes it made, so
 * that asking for many indices of a small set costs about two hashes a round.
 *
 * @param seed 32 bytes.
 * @param count length of the list; positive, below 2^32.
 * @see consensus-specs v1.5.0, phase0/beacon-chain.md, compute_shuffled_index
 */
export function createShuffler(seed: Uint8Array, count: number, rounds: number): (index: number) => number {
  const pivots = Array.from({ length: rounds }, (_, round) => pivotOf(seed, round, count));
  const sources = new Map<number, Uint8Array>();
  const blocks = Math.ceil(count / POSITIONS_PER_HASH);
  return (index) => {
    for (const [round, pivot] of pivots.entries()) {
      const flip = (pivot + count - index) % count;
      const position = Math.max(index, flip);
      const block = Math.floor(position / POSITIONS_PER_HASH);
      const key = round * blocks + block;
      let source = sources.get(key);
      if (source === undefined) {
        source = sourceOf(seed, round, block);
        sources.set(key, source);
      }
      if (isSwapped(source, position)) index = flip;
    }
    return index;
  };
}

/**
 * The list whose element i is `list[shuffledIndex(i)]`.
 *
 * Cost: O(rounds · n). Every round swaps pairs in place, and the rounds run from the last to the first because
 * the shuffled index passes through the first round first.
 */
export function shuffleList(list: Uint32Array, seed: Uint8Array, rounds: number): Uint32Array {
  const shuffled = list.slice();
  if (shuffled.length < 2) return shuffled;
  for (let round = rounds - 1; round >= 0; round--) {
    swapRound(shuffled, seed, round);
  }
  return shuffled;
}

function swapRound(list: Uint32Array, seed: Uint8Array, round: number): void {
  const count = list.length;
  const pivot = pivotOf(seed, round, count);
  // Pairs mirror each other around half the pivot, below it and, wrapped around the end, above it.
  swapMirrored(list, seed, round, 0, pivot);
  swapMirrored(list, seed, round, pivot + 1, count - 1);
}

/** Hot path: once per round over half the list; the source hash changes every 256 positions. */
function swapMirrored(list: Uint32Array, seed: Uint8Array, round: number, first: number, last: number): void {
  let block = -1;
  let source = seed;
  for (let low = first, high = last; low < high; low++, high--) {
    if (high >> 8 !== block) {
      block = high >> 8;
      source = sourceOf(seed, round, block);
    }
    if (!isSwapped(source, high)) continue;
    const kept = list[low] ?? 0;
    list[low] = list[high] ?? 0;
    list[high] = kept;
  }
}

function isSwapped(source: Uint8Array, position: number): boolean {
  const byte = source[(position % POSITIONS_PER_HASH) >> 3] ?? 0;
  return ((byte >> (position & 7)) & 1) === 1;
}

/** bytes_to_uint64(hash(seed + round)[0:8]) % count, little-endian. */
function pivotOf(seed: Uint8Array, round: number, count: number): number {
  const input = new Uint8Array(33);
  input.set(seed);
  input[32] = round;
  const hash = sha256(input);
  return Number(new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true) % BigInt(count));
}

function sourceOf(seed: Uint8Array, round: number, block: number): Uint8Array {
  const input = new Uint8Array(37);
  input.set(seed);
  input[32] = round;
  new DataView(input.buffer).setUint32(33, block, true);
  return sha256(input);
}
