/** Headers, bodies and receipts that are what a proven hash says. See specs/light/verified.md#blocks. */
import { createAddress } from "../../primitives/address.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { RlpError } from "../../primitives/rlp.ts";
import { address as addressSchema, count, data, hash, quantity } from "../../rpc/schema.ts";
import type { Block, ExecutedReceipt, Header, Log, Receipt } from "../../vm/block.ts";
import { decodeBlock } from "../../vm/block-codec.ts";
import {
  computeReceiptsRoot,
  computeTransactionsRoot,
  computeWithdrawalsRoot,
} from "../../vm/block-roots.ts";
import { BLOCK_HASHES_ADDRESS } from "../../vm/chain-config.ts";
import { decodeHeader, headerHash } from "../../vm/header.ts";
import { HISTORY_WINDOW, historySlot } from "../../vm/record-call.ts";
import { FieldError } from "../../vm/rlp-fields.ts";
import { effectiveGasPrice } from "../../vm/transaction-rules.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { LightError } from "../light-error.ts";
import { type AskNode, readAnswer, readList, readObject } from "./node-answers.ts";
import { fetchAccount } from "./proven-account.ts";

export type ProvenHeader = { readonly hash: Hash; readonly header: Header };

/** Transactions a block can carry, and logs a receipt can: what a block's gas pays for, with room. */
const TRANSACTIONS_LIMIT = 65_536;
const LOGS_LIMIT = 262_144;
const TOPICS_LIMIT = 4;

/** The header whose hash is proven. @throws LightError */
export async function fetchHeader(ask: AskNode, blockHash: Hash): Promise<ProvenHeader> {
  const raw = readAnswer(data, await ask("debug_getRawHeader", [{ blockHash }]), "header");
  requireHash("header", blockHash, keccak256Hex(raw));
  return { hash: blockHash, header: decoded("header", () => decodeHeader(raw)) };
}

/**
 * The final block at `number`, proven by the history contract's storage in the newest final state (EIP-2935).
 * Undefined when it is not final yet.
 * @throws LightError
 */
export async function fetchHeaderAt(
  ask: AskNode,
  final: ProvenHeader,
  number: number,
): Promise<ProvenHeader | undefined> {
  if (number > final.header.number) return undefined;
  if (number === final.header.number) return final;
  if (final.header.number - number > HISTORY_WINDOW) {
    throw new LightError({ code: "LIGHT_TOO_OLD", number, oldest: final.header.number - HISTORY_WINDOW });
  }
  const slot = historySlot(number);
  const { words } = await fetchAccount(ask, final, BLOCK_HASHES_ADDRESS, [slot]);
  return fetchHeader(ask, `0x${(words[0] ?? 0n).toString(16).padStart(64, "0")}`);
}

/** The whole block of a proven header. @throws LightError */
export async function fetchBlock(ask: AskNode, { hash: blockHash, header }: ProvenHeader): Promise<Block> {
  const raw = readAnswer(data, await ask("debug_getRawBlock", [{ blockHash }]), "block");
  const block = decoded("block", () => decodeBlock(raw));
  requireHash("block", blockHash, headerHash(block.header));
  requireHash("transactions", header.transactionsRoot, computeTransactionsRoot(block.transactions));
  const withdrawals = block.withdrawals ?? [];
  if (header.withdrawalsRoot !== undefined) {
    requireHash("withdrawals", header.withdrawalsRoot, computeWithdrawalsRoot(withdrawals));
  }
  return { hash: blockHash, header, transactions: block.transactions.map(recoverTransaction), withdrawals };
}

/** One receipt per transaction of a proven block. @throws LightError */
export async function fetchReceipts(ask: AskNode, block: Block): Promise<readonly ExecutedReceipt[]> {
  const answer = await ask("eth_getBlockReceipts", [block.hash]);
  const receipts = readList(answer, "receipts", TRANSACTIONS_LIMIT).map(readReceipt);
  requireHash("receipts", block.header.receiptsRoot, computeReceiptsRoot(receipts));
  return receipts.map((receipt, index) => withDerived(block, receipts, receipt, index));
}

/** What the receipts root does not commit to follows from the transaction and the receipt before. */
function withDerived(
  block: Block,
  receipts: readonly Receipt[],
  receipt: Receipt,
  index: number,
): ExecutedReceipt {
  const recovered = block.transactions[index];
  if (recovered === undefined) throw new LightError({ code: "LIGHT_WRONG_BLOCK", of: "receipts" });
  const { transaction, sender } = recovered;
  const isCreation = transaction.to === undefined && receipt.succeeded;
  return {
    ...receipt,
    gasUsed: receipt.cumulativeGasUsed - (receipts[index - 1]?.cumulativeGasUsed ?? 0n),
    effectiveGasPrice: effectiveGasPrice(transaction, block.header.baseFeePerGas ?? 0n),
    ...(isCreation && { contractAddress: createAddress(sender, transaction.nonce) }),
  };
}

function readReceipt(json: unknown): Receipt {
  const receipt = readObject(json, "receipt");
  const type = readAnswer(count, receipt["type"], "type");
  if (type !== 0 && type !== 1 && type !== 2) {
    throw new LightError({ code: "LIGHT_MALFORMED", at: "type", expected: "a known transaction type" });
  }
  return {
    type,
    succeeded: readAnswer(quantity, receipt["status"], "status") === 1n,
    cumulativeGasUsed: readAnswer(quantity, receipt["cumulativeGasUsed"], "cumulativeGasUsed"),
    logsBloom: readAnswer(data, receipt["logsBloom"], "logsBloom"),
    logs: readList(receipt["logs"], "logs", LOGS_LIMIT).map(readLog),
  };
}

function readLog(json: unknown): Log {
  const log = readObject(json, "log");
  return {
    address: readAnswer(addressSchema, log["address"], "address"),
    topics: readList(log["topics"], "topics", TOPICS_LIMIT).map((topic) => readAnswer(hash, topic, "topic")),
    data: readAnswer(data, log["data"], "data"),
  };
}

function decoded<T>(of: "header" | "block", decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof RlpError) && !(error instanceof FieldError)) throw error;
    throw new LightError({ code: "LIGHT_WRONG_BLOCK", of }, { cause: error });
  }
}

function requireHash(
  of: "header" | "block" | "transactions" | "withdrawals" | "receipts",
  expected: Hash,
  actual: Hash,
): void {
  if (expected !== actual) throw new LightError({ code: "LIGHT_WRONG_BLOCK", of });
}
