/** Receipts as the receipts trie commits to them, and the bloom filter over their logs. See specs/vm/block.md#receipts. */
import { bigIntToMinimalBytes, concatBytes, EMPTY_BYTES, fromHex } from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import { encodeRlp, type RlpItem } from "../primitives/rlp.ts";
import type { Log, Receipt } from "./block.ts";

const BLOOM_BYTES = 256;
const SUCCEEDED = Uint8Array.of(1);

/** The EIP-2718 encoding of a receipt: a typed receipt begins with its transaction's type byte. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const payload = encodeRlp([
    receipt.succeeded ? SUCCEEDED : EMPTY_BYTES,
    bigIntToMinimalBytes(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map(logItem),
  ]);
  return receipt.type === 0 ? payload : concatBytes(Uint8Array.of(receipt.type), payload);
}

function logItem(log: Log): RlpItem {
  return [fromHex(log.address), log.topics.map(fromHex), log.data];
}

/** The filter of 2048 bits over every address and topic of the logs (Yellow Paper, 4.3.1). */
export function computeLogsBloom(logs: readonly Log[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs) {
    addToBloom(bloom, fromHex(address));
    for (const topic of topics) addToBloom(bloom, fromHex(topic));
  }
  return bloom;
}

/** Sets the value's three bits in `bloom`. */
export function addToBloom(bloom: Uint8Array, value: Uint8Array): void {
  for (const bit of bloomBits(value)) {
    const index = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[index] = (bloom[index] ?? 0) | (1 << (bit & 7));
  }
}

/** Whether a block or receipt with this bloom may contain the value: never wrong when it says no. */
export function mayContain(bloom: Uint8Array, value: Uint8Array): boolean {
  return bloomBits(value).every(
    (bit) => ((bloom[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0,
  );
}

/** Bit numbers, 0 the lowest: eleven bits each of the first three pairs of bytes of the value's Keccak-256. */
export function bloomBits(value: Uint8Array): readonly number[] {
  const hash = keccak256(value);
  return [0, 2, 4].map((i) => (((hash[i] ?? 0) << 8) | (hash[i + 1] ?? 0)) & 0x7ff);
}

/** Adds every bit of `other` to `bloom`. */
export function mergeBloom(bloom: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < BLOOM_BYTES; i++) bloom[i] = (bloom[i] ?? 0) | (other[i] ?? 0);
}
