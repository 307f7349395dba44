/** SSZ roots and branches, as far as a light client needs them (consensus-specs, ssz/simple-serialize.md). */
import { concatBytes, equalBytes } from "../primitives/bytes.ts";
import { sha256 } from "../primitives/hash.ts";

const CHUNK_BYTES = 32;
/** Roots of trees of zeros, by depth; a list of 2^40 items of four chunks is 42 deep. */
const ZERO_ROOTS: Uint8Array[] = [new Uint8Array(CHUNK_BYTES)];

function zeroRoot(depth: number): Uint8Array {
  for (let at = ZERO_ROOTS.length; at <= depth; at++) {
    const below = ZERO_ROOTS[at - 1] ?? new Uint8Array(CHUNK_BYTES);
    ZERO_ROOTS.push(hashPair(below, below));
  }
  return ZERO_ROOTS[depth] ?? new Uint8Array(CHUNK_BYTES);
}

export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(left, right));
}

/** Root of a tree `depth` levels deep whose first leaves are `chunks`, the rest zeros. */
export function merkleRoot(chunks: readonly Uint8Array[], depth: number): Uint8Array {
  let level = chunks;
  for (let height = 0; height < depth; height++) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(hashPair(level[i] ?? zeroRoot(height), level[i + 1] ?? zeroRoot(height)));
    }
    level = above;
  }
  return level[0] ?? zeroRoot(depth);
}

/** Root of a container, from the roots of its fields. */
export function containerRoot(fields: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(fields, Math.ceil(Math.log2(fields.length)));
}

/** Root of a list: its chunks, then its length mixed in. @param limitChunks a power of two. */
export function listRoot(chunks: readonly Uint8Array[], limitChunks: number, length: number): Uint8Array {
  return hashPair(merkleRoot(chunks, Math.log2(limitChunks)), uint64Chunk(length));
}

/** 32 bytes apiece; the last is filled up with zeros. */
export function chunksOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) => {
    const chunk = new Uint8Array(CHUNK_BYTES);
    chunk.set(bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
    return chunk;
  });
}

/** Root of a vector of bytes. */
export function bytesRoot(bytes: Uint8Array): Uint8Array {
  const chunks = chunksOf(bytes);
  return merkleRoot(chunks, Math.ceil(Math.log2(Math.max(1, chunks.length))));
}

/** A number as an SSZ basic value: little-endian, filled up with zeros. */
export function uint64Chunk(value: number | bigint): Uint8Array {
  return littleEndianChunk(BigInt(value));
}

export function littleEndianChunk(value: bigint): Uint8Array {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let i = 0, rest = value; rest > 0n; i++, rest >>= 8n) chunk[i] = Number(rest & 0xffn);
  return chunk;
}

/**
 * Whether `leaf` is at `index` of the level `branch.length` below `root`.
 * @param branch siblings, lowest first.
 */
export function isInTree(
  leaf: Uint8Array,
  branch: readonly Uint8Array[],
  index: number,
  root: Uint8Array,
): boolean {
  let at = index;
  let node = leaf;
  for (const sibling of branch) {
    node = at % 2 === 0 ? hashPair(node, sibling) : hashPair(sibling, node);
    at = Math.floor(at / 2);
  }
  return at === 0 && equalBytes(node, root);
}
