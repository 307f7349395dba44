/** Ethereum's swap-or-not shuffle of a whole list. Hot path. See specs/consensus/selection.md#shuffle. */
import { sha256 } from "../primitives/hash.ts";

/** Positions whose swap bits one hash decides, as a shift. */
const POSITIONS_PER_HASH_BITS = 8;

/**
 * The list whose element i is `list[compute_shuffled_index(i)]`.
 *
 * Cost: O(rounds · n). Every round swaps pairs in place, and the rounds run from the last to the first because
 * the shuffled index passes through the first round first.
 *
 * @param seed 32 bytes.
 * @see consensus-specs v1.5.0, phase0/beacon-chain.md, compute_shuffled_index
 */
export function shuffleList(list: Uint32Array, seed: Uint8Array, rounds: number): Uint32Array {
  const shuffled = list.slice();
  if (shuffled.length < 2) return shuffled;
  // What is hashed: seed, round, and for a swap's source the number of the block of positions.
  const input = new Uint8Array(37);
  input.set(seed);
  for (let round = rounds - 1; round >= 0; round--) {
    input[32] = round;
    const pivot = pivotOf(input, shuffled.length);
    // Pairs mirror each other around half the pivot, below it and, wrapped around the end, above it.
    swapMirrored(shuffled, input, 0, pivot);
    swapMirrored(shuffled, input, pivot + 1, shuffled.length - 1);
  }
  return shuffled;
}

/** Hot path: once per round over half the list. The higher position of a pair names the bit that decides. */
function swapMirrored(list: Uint32Array, input: Uint8Array, first: number, last: number): void {
  let low = first;
  let high = last;
  while (low < high) {
    const block = high >> POSITIONS_PER_HASH_BITS;
    const source = sourceOf(input, block);
    const end = Math.max(block << POSITIONS_PER_HASH_BITS, ((first + last) >> 1) + 1);
    for (; high >= end; low++, high--) {
      const bit = ((source[(high & 255) >> 3] ?? 0) >> (high & 7)) & 1;
      // A branch that goes either way half of the time would cost more than both writes.
      const a = list[low] ?? 0;
      const b = list[high] ?? 0;
      const difference = (a ^ b) & -bit;
      list[low] = a ^ difference;
      list[high] = b ^ difference;
    }
  }
}

/** bytes_to_uint64(hash(seed + round)[0:8]) % count, little-endian. */
function pivotOf(input: Uint8Array, count: number): number {
  const hash = sha256(input.subarray(0, 33));
  return Number(new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true) % BigInt(count));
}

function sourceOf(input: Uint8Array, block: number): Uint8Array {
  input[33] = block;
  input[34] = block >> 8;
  input[35] = block >> 16;
  input[36] = block >> 24;
  return sha256(input);
}
