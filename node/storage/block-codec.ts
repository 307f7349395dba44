/** Execution blocks and receipts on disk. See specs/node/storage.md#execution-blocks. */
import {
  type Address,
  bigIntToMinimalBytes,
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { decodeRlp, encodeRlp, type RlpItem } from "../../primitives/rlp.ts";
import type { Block, ExecutedReceipt, Log } from "../../vm/block.ts";
import { decodeBlock, encodeBlock } from "../../vm/block-codec.ts";
import { computeLogsBloom } from "../../vm/receipt.ts";
import { decodeTransaction } from "../../vm/transaction-codec.ts";

const ADDRESS_BYTES = 20;

/** RLP [the block as everyone encodes it, senders]: a sender costs more to recover than to read. */
export function encodeStoredBlock({ header, transactions, withdrawals }: Block): Uint8Array {
  const raws = transactions.map(({ raw }) => raw);
  const block = encodeBlock({ header, transactions: raws, ommers: [], withdrawals });
  return encodeRlp([block, concatBytes(...transactions.map(({ sender }) => fromHex(sender)))]);
}

/** The header's hash is the key it is stored under. */
export function decodeStoredBlock(hash: Hash, bytes: Uint8Array): Block {
  const [block, senders] = asList(decodeRlp(bytes));
  const { header, transactions, withdrawals } = decodeBlock(asBytes(block));
  const senderAt = (index: number) =>
    toHex(asBytes(senders).subarray(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES));
  return {
    hash,
    header,
    transactions: transactions.map((raw, index) => ({
      transaction: decodeTransaction(raw),
      hash: keccak256Hex(raw),
      sender: senderAt(index),
      raw,
    })),
    withdrawals: withdrawals ?? [],
  };
}

/** Blooms are left out: they follow from the logs. */
export function encodeStoredReceipts(receipts: readonly ExecutedReceipt[]): Uint8Array {
  return encodeRlp(
    receipts.map((receipt) => [
      bigIntToMinimalBytes(BigInt(receipt.type)),
      receipt.succeeded ? Uint8Array.of(1) : EMPTY_BYTES,
      bigIntToMinimalBytes(receipt.cumulativeGasUsed),
      bigIntToMinimalBytes(receipt.gasUsed),
      bigIntToMinimalBytes(receipt.effectiveGasPrice),
      receipt.contractAddress === undefined ? EMPTY_BYTES : fromHex(receipt.contractAddress),
      receipt.logs.map(({ address, topics, data }) => [fromHex(address), topics.map(fromHex), data]),
    ]),
  );
}

export function decodeStoredReceipts(bytes: Uint8Array): readonly ExecutedReceipt[] {
  return asList(decodeRlp(bytes)).map((item) => {
    const [type, succeeded, cumulativeGasUsed, gasUsed, effectiveGasPrice, contract, logItems] = asList(item);
    const logs = asList(logItems).map(decodeLog);
    const contractAddress: Address | undefined =
      asBytes(contract).length === 0 ? undefined : toHex(asBytes(contract));
    return {
      type: Number(bytesToBigInt(asBytes(type))) as ExecutedReceipt["type"],
      succeeded: asBytes(succeeded).length === 1,
      cumulativeGasUsed: bytesToBigInt(asBytes(cumulativeGasUsed)),
      logsBloom: computeLogsBloom(logs),
      logs,
      gasUsed: bytesToBigInt(asBytes(gasUsed)),
      effectiveGasPrice: bytesToBigInt(asBytes(effectiveGasPrice)),
      ...(contractAddress !== undefined && { contractAddress }),
    };
  });
}

/** RLP: for each transaction, the addresses joined. */
export function encodeParticipants(participants: readonly (readonly Address[])[]): Uint8Array {
  return encodeRlp(participants.map((addresses) => concatBytes(...addresses.map(fromHex))));
}

export function decodeParticipants(bytes: Uint8Array): readonly (readonly Address[])[] {
  return asList(decodeRlp(bytes)).map((item) => {
    const joined = asBytes(item);
    return Array.from({ length: joined.length / ADDRESS_BYTES }, (_, index) =>
      toHex(joined.subarray(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES)),
    );
  });
}

function decodeLog(item: RlpItem): Log {
  const [address, topics, data] = asList(item);
  return {
    address: toHex(asBytes(address)),
    topics: asList(topics).map((topic) => toHex(asBytes(topic))),
    data: asBytes(data),
  };
}

function asBytes(item: RlpItem | undefined): Uint8Array {
  assert(item instanceof Uint8Array, "a stored field is where it was written");
  return item;
}

function asList(item: RlpItem | undefined): readonly RlpItem[] {
  assert(item !== undefined && !(item instanceof Uint8Array), "a stored list is where it was written");
  return item;
}
