/** What the explorer Otterscan asks beyond Ethereum's methods. See specs/rpc/otterscan.md. */
import { toHex } from "../../primitives/bytes.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import type { CallFrame } from "../../vm/tracing/trace.ts";
import { blockNumberOrTag, blockParameter, findBlock, requireState } from "../block-parameter.ts";
import type { BlockReference, ChainView } from "../chain-view.ts";
import { encodeBlock, encodeHeaderFields } from "../encode-block.ts";
import { encodeReceipts } from "../encode-receipt.ts";
import type { JsonObject } from "../json.ts";
import { arrayOf, HEX, orNull } from "../json-schema.ts";
import { method } from "../method.ts";
import { address, asJson, boolean, data, hash, numberOrCount, toQuantity } from "../schema.ts";
import { findBySenderAndNonce, findCreator } from "../search-history.ts";
import { topFrame } from "../top-frame.ts";

/** Of the interface that Otterscan checks before anything else. */
const API_LEVEL = 8;
/** Transactions of a page, at most. */
const PAGE_LIMIT = 100;
/** Bytes of a call's data that a list of transactions shows: the function's selector. */
const SELECTOR_HEX_LENGTH = 10;

const object = { type: "object" } as const;
const blockDetails = asJson<JsonObject | null>("a block without its transactions, or null", orNull(object));
const pageNumber = numberOrCount("a page, the last transactions being page 0");
const pageSize = numberOrCount("transactions per page");

export const getApiLevel = method({
  name: "ots_getApiLevel",
  summary: "Level of Otterscan's interface.",
  params: {},
  result: asJson<number>("a number", { type: "integer" }),
  handle: () => API_LEVEL,
});

export const hasCode = method({
  name: "ots_hasCode",
  summary: "Whether there is a contract at an address.",
  params: { address, block: blockParameter },
  result: boolean,
  handle({ chain }, params) {
    const state = requireState(chain, params.block);
    const account = state.account(params.address);
    return account !== undefined && (state.code(account.codeHash)?.length ?? 0) > 0;
  },
});

export const getTransactionError = method({
  name: "ots_getTransactionError",
  summary: "What a transaction reverted with; 0x when it did not.",
  params: { hash },
  result: data,
  async handle({ chain }, params) {
    const { outcome, output } = await topFrame(chain, params.hash);
    return outcome === "revert" ? output : new Uint8Array(0);
  },
});

export const getInternalOperations = method({
  name: "ots_getInternalOperations",
  summary: "Value that contracts sent, and contracts they created, within a transaction.",
  params: { hash },
  result: asJson<readonly JsonObject[]>("operations", arrayOf(object)),
  handle: async ({ chain }, params) => (await topFrame(chain, params.hash)).calls.flatMap(operationsOf),
});

/** Of a frame that succeeded: what fails moves nothing. The numbers are Otterscan's. */
function operationsOf(frame: CallFrame): readonly JsonObject[] {
  const { type, from, to, value = 0n, outcome, calls } = frame;
  if (outcome !== "success") return [];
  const number = { CALL: 0, CREATE: 2, CREATE2: 3, STATICCALL: undefined, DELEGATECALL: undefined }[type];
  const counts = number !== undefined && (number !== 0 || value > 0n);
  const own = counts ? [{ type: number, from, to, value: toQuantity(value) }] : [];
  return [...own, ...calls.flatMap(operationsOf)];
}

export const traceTransaction = method({
  name: "ots_traceTransaction",
  summary: "The calls of a transaction as a list, each with its depth.",
  params: { hash },
  result: asJson<readonly JsonObject[]>("calls", arrayOf(object)),
  handle: async ({ chain }, params) => flatten(await topFrame(chain, params.hash), 0),
});

function flatten(frame: CallFrame, depth: number): readonly JsonObject[] {
  const { type, from, to, value, input, output, calls } = frame;
  const own = { type, depth, from, to, value: value === undefined ? null : toQuantity(value) };
  return [
    { ...own, input: toHex(input), output: toHex(output) },
    ...calls.flatMap((call) => flatten(call, depth + 1)),
  ];
}

export const getBlockDetails = method({
  name: "ots_getBlockDetails",
  summary: "A block without its transactions, with their number and fees.",
  params: { block: blockNumberOrTag },
  result: blockDetails,
  handle: ({ chain }, params) => detailsOf(chain, params.block),
});

export const getBlockDetailsByHash = method({
  name: "ots_getBlockDetailsByHash",
  summary: "A block without its transactions, with their number and fees.",
  params: { hash },
  result: blockDetails,
  handle: ({ chain }, params) => detailsOf(chain, { hash: params.hash }),
});

/** Nothing is issued by execution blocks: validators are rewarded on the consensus side. */
function detailsOf(chain: ChainView, reference: BlockReference): JsonObject | null {
  const block = findBlock(chain, reference);
  if (block === undefined) return null;
  const { transactions: _, ...header } = encodeBlock(block, false);
  const fees = (chain.receipts(block.hash) ?? []).reduce((sum, receipt) => sum + feeOf(receipt), 0n);
  return {
    block: { ...header, logsBloom: null, transactionCount: block.transactions.length },
    issuance: { blockReward: "0x0", uncleReward: "0x0", issuance: "0x0" },
    totalFees: toQuantity(fees),
  };
}

function feeOf({ gasUsed, effectiveGasPrice }: ExecutedReceipt): bigint {
  return BigInt(gasUsed) * effectiveGasPrice;
}

export const getBlockTransactions = method({
  name: "ots_getBlockTransactions",
  summary: "A page of a block's transactions, the last ones first, with receipts that leave out logs.",
  params: { block: blockNumberOrTag, pageNumber, pageSize },
  result: asJson<JsonObject | null>("a block with a page of its transactions, or null", orNull(object)),
  handle({ chain }, { block: reference, pageNumber: page, pageSize: size }) {
    const block = findBlock(chain, reference);
    if (block === undefined) return null;
    const end = Math.max(0, block.transactions.length - page * size);
    const start = Math.max(0, end - Math.min(size, PAGE_LIMIT));
    return pageOf(block, chain.receipts(block.hash) ?? [], start, end);
  },
});

function pageOf(block: Block, receipts: readonly ExecutedReceipt[], start: number, end: number): JsonObject {
  const full = encodeBlock(block, true);
  const transactions = (full["transactions"] as readonly JsonObject[]).slice(start, end);
  return {
    fullblock: {
      ...full,
      logsBloom: null,
      transactionCount: block.transactions.length,
      transactions: transactions.map((one) => ({
        ...one,
        input: String(one["input"]).slice(0, SELECTOR_HEX_LENGTH),
      })),
    },
    receipts: encodeReceipts(block, receipts)
      .slice(start, end)
      .map((receipt) => ({
        ...receipt,
        logs: null,
        logsBloom: null,
        timestamp: toQuantity(block.header.timestamp),
      })),
  };
}

export const getTransactionBySenderAndNonce = method({
  name: "ots_getTransactionBySenderAndNonce",
  summary: "Hash of the transaction a sender used a nonce for, as far back as is known; else null.",
  params: { sender: address, nonce: numberOrCount("a nonce") },
  result: asJson<string | null>("a hash, or null", orNull(HEX.hash)),
  handle: async ({ chain }, { sender, nonce }) =>
    (await findBySenderAndNonce(chain, sender, BigInt(nonce))) ?? null,
});

export const getContractCreator = method({
  name: "ots_getContractCreator",
  summary: "Who created a contract, and in which transaction, as far back as is known; else null.",
  params: { address },
  result: asJson<JsonObject | null>("hash and creator, or null", orNull(object)),
  handle: async ({ chain }, params) => (await findCreator(chain, params.address)) ?? null,
});

export const getHeaderByNumber = method({
  name: "erigon_getHeaderByNumber",
  summary: "A block's header; null when there is none.",
  params: { block: blockNumberOrTag },
  result: asJson<JsonObject | null>("a header, or null", orNull(object)),
  handle({ chain }, params) {
    const block = findBlock(chain, params.block);
    return block === undefined ? null : encodeHeaderFields(block.hash, block.header);
  },
});
