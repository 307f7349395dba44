/** Headers and blocks as clients see them. See specs/rpc/objects.md. */
import { type Hex, toHex } from "../primitives/bytes.ts";
import { encodeRlp } from "../primitives/rlp.ts";
import type { Block, Header, Withdrawal } from "../vm/block.ts";
import { withdrawalItem } from "../vm/block-roots.ts";
import { encodeHeader } from "../vm/header.ts";
import { encodeTransaction } from "./encode-transaction.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/** What `newHeads` sends: a block without its body. */
export function encodeHeaderFields(hash: Hex, header: Header): JsonObject {
  return {
    hash,
    parentHash: header.parentHash,
    sha3Uncles: header.ommersHash,
    miner: header.feeRecipient,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: toHex(header.logsBloom),
    difficulty: toQuantity(header.difficulty),
    number: toQuantity(header.number),
    gasLimit: toQuantity(header.gasLimit),
    gasUsed: toQuantity(header.gasUsed),
    timestamp: toQuantity(header.timestamp),
    extraData: toHex(header.extraData),
    mixHash: header.prevRandao,
    nonce: toHex(header.nonce),
    ...encodeForkFields(header),
  };
}

/** Fields that came with a fork are absent, not null, before it. */
function encodeForkFields(header: Header): JsonObject {
  const fields: { [name: string]: Hex } = {};
  if (header.baseFeePerGas !== undefined) fields["baseFeePerGas"] = toQuantity(header.baseFeePerGas);
  if (header.withdrawalsRoot !== undefined) fields["withdrawalsRoot"] = header.withdrawalsRoot;
  if (header.blobGasUsed !== undefined) fields["blobGasUsed"] = toQuantity(header.blobGasUsed);
  if (header.excessBlobGas !== undefined) fields["excessBlobGas"] = toQuantity(header.excessBlobGas);
  if (header.parentBeaconBlockRoot !== undefined) {
    fields["parentBeaconBlockRoot"] = header.parentBeaconBlockRoot;
  }
  if (header.requestsHash !== undefined) fields["requestsHash"] = header.requestsHash;
  return fields;
}

/** `full` gives transaction objects instead of their hashes. */
export function encodeBlock(block: Block, full: boolean): JsonObject {
  const { hash, header, transactions, withdrawals } = block;
  return {
    ...encodeHeaderFields(hash, header),
    size: toQuantity(blockSize(block)),
    uncles: [],
    transactions: full
      ? transactions.map((transaction, index) => encodeTransaction(transaction, { block, index }))
      : transactions.map((transaction) => transaction.hash),
    ...(header.withdrawalsRoot === undefined ? {} : { withdrawals: withdrawals.map(encodeWithdrawal) }),
  };
}

/** The amount is in Gwei, as in EIP-4895. */
function encodeWithdrawal({ index, validatorIndex, address, amountGwei }: Withdrawal): JsonObject {
  return {
    index: toQuantity(index),
    validatorIndex: toQuantity(validatorIndex),
    address,
    amount: toQuantity(amountGwei),
  };
}

/** Bytes of the block's RLP: header, transactions, no ommers, and withdrawals since Shanghai. */
export function blockSize({ header, transactions, withdrawals }: Block): number {
  let transactionBytes = 0;
  for (const { transaction, raw } of transactions) {
    // A legacy transaction is a list itself; a typed one is a byte string around its encoding.
    transactionBytes += transaction.type === 0 ? raw.length : prefixedSize(raw.length);
  }
  const emptyListBytes = 1;
  let size = encodeHeader(header).length + prefixedSize(transactionBytes) + emptyListBytes;
  if (header.withdrawalsRoot !== undefined) size += encodeRlp(withdrawals.map(withdrawalItem)).length;
  return prefixedSize(size);
}

/** A payload of RLP with its length prefix. No single byte below 0x80 occurs where this is used. */
function prefixedSize(payload: number): number {
  if (payload <= 55) return 1 + payload;
  let lengthBytes = 0;
  for (let rest = payload; rest > 0; rest = Math.floor(rest / 256)) lengthBytes++;
  return 1 + lengthBytes + payload;
}
