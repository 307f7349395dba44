/** The commitments of a header to the block's lists. See specs/vm/block.md#roots. */
import {
  bigIntToMinimalBytes,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
} from "../primitives/bytes.ts";
import { sha256 } from "../primitives/hash.ts";
import { encodeRlp, type RlpItem } from "../primitives/rlp.ts";
import type { Receipt, Withdrawal } from "./block.ts";
import { encodeReceipt } from "./receipt.ts";
import { computeTrieRoot } from "./state/trie.ts";

/** `raws` are the transactions' EIP-2718 encodings. */
export function computeTransactionsRoot(raws: readonly Uint8Array[]): Hash {
  return computeListRoot(raws);
}

export function computeReceiptsRoot(receipts: readonly Receipt[]): Hash {
  return computeListRoot(receipts.map(encodeReceipt));
}

export function computeWithdrawalsRoot(withdrawals: readonly Withdrawal[]): Hash {
  return computeListRoot(withdrawals.map((withdrawal) => encodeRlp(withdrawalItem(withdrawal))));
}

/** A withdrawal as a member of a block's list (EIP-4895). */
export function withdrawalItem(withdrawal: Withdrawal): RlpItem {
  return [
    bigIntToMinimalBytes(withdrawal.index),
    bigIntToMinimalBytes(withdrawal.validatorIndex),
    fromHex(withdrawal.address),
    bigIntToMinimalBytes(withdrawal.amountGwei),
  ];
}

/** Root of the trie that maps rlp(index) to the item; the trie is not secure: keys are not hashed. */
export function computeListRoot(items: readonly Uint8Array[]): Hash {
  return computeTrieRoot(
    items.map((value, index) => ({
      key: toHex(encodeRlp(bigIntToMinimalBytes(BigInt(index)))).slice(2),
      value,
    })),
  );
}

/**
 * Commitment to what the block asks of the consensus layer: a request is its type byte and its data, and one
 * with no data is left out (EIP-7685).
 */
export function computeRequestsHash(requests: readonly Uint8Array[]): Hash {
  const hashes = requests.filter((request) => request.length > 1).map(sha256);
  return toHex(sha256(hashes.length === 0 ? EMPTY_BYTES : concatBytes(...hashes)));
}
