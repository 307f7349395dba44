/** Pages of the transactions an account took part in, as Otterscan asks for them. See specs/rpc/otterscan.md#pages-of-an-account. */
import type { AddressPage, AddressSearch, ChainView } from "../chain-view.ts";
import { encodeReceipt } from "../encode-receipt.ts";
import { encodeTransaction } from "../encode-transaction.ts";
import type { JsonObject } from "../json.ts";
import { method } from "../method.ts";
import { invalidParams, serverError } from "../rpc-errors.ts";
import { address, asJson, numberOrCount, toQuantity } from "../schema.ts";

/** Transactions after which a page ends with its block, at most. */
const PAGE_LIMIT = 100;

const params = {
  address,
  blockNumber: numberOrCount("a block number; 0 begins at the end of the chain that is searched from"),
  pageSize: numberOrCount("transactions of a page, at least"),
};
const page = asJson<JsonObject>("a page of transactions, newest first", {
  type: "object",
  required: ["txs", "receipts", "firstPage", "lastPage"],
  properties: {
    txs: { type: "array", items: { type: "object" } },
    receipts: { type: "array", items: { type: "object" } },
    firstPage: { type: "boolean" },
    lastPage: { type: "boolean" },
  },
});

export const searchTransactionsBefore = method({
  name: "ots_searchTransactionsBefore",
  summary: "Transactions an account took part in before a block, newest first; before 0: the newest ones.",
  params,
  result: page,
  async handle({ chain }, { address: account, blockNumber, pageSize }) {
    const head = chain.head().header.number;
    const last = blockNumber === 0 ? head : Math.min(head, blockNumber - 1);
    const found = await search(chain, { address: account, first: 0, last, isForward: false }, pageSize);
    return pageOf(chain, found, { firstPage: blockNumber === 0, lastPage: !found.hasMore });
  },
});

export const searchTransactionsAfter = method({
  name: "ots_searchTransactionsAfter",
  summary: "Transactions an account took part in after a block, newest first; after 0: the oldest ones.",
  params,
  result: page,
  async handle({ chain }, { address: account, blockNumber, pageSize }) {
    const last = chain.head().header.number;
    const first = blockNumber === 0 ? 0 : blockNumber + 1;
    const found = await search(chain, { address: account, first, last, isForward: true }, pageSize);
    return pageOf(chain, found, { firstPage: !found.hasMore, lastPage: blockNumber === 0 });
  },
});

async function search(
  chain: ChainView,
  range: Omit<AddressSearch, "limit">,
  pageSize: number,
): Promise<AddressPage> {
  if (pageSize === 0) throw invalidParams("invalid argument 2 (pageSize): a page has at least 1 transaction");
  const first = Math.max(range.first, chain.oldestBlock());
  const found = await chain.searchAddress({ ...range, first, limit: Math.min(pageSize, PAGE_LIMIT) });
  if (found === undefined)
    throw serverError("no index by account: the node needs to be started with --address-index");
  return found;
}

function pageOf(
  chain: ChainView,
  { found }: AddressPage,
  ends: { readonly firstPage: boolean; readonly lastPage: boolean },
): JsonObject {
  const rows = found.flatMap(({ blockHash, index }) => {
    const block = chain.block({ hash: blockHash });
    const transaction = block?.transactions[index];
    if (block === undefined || transaction === undefined) return [];
    const receipt = encodeReceipt(block, chain.receipts(blockHash) ?? [], index);
    const timestamp = toQuantity(block.header.timestamp);
    return [
      {
        tx: encodeTransaction(transaction, { block, index }),
        receipt: { ...receipt, timestamp } as JsonObject,
      },
    ];
  });
  return { txs: rows.map(({ tx }) => tx), receipts: rows.map(({ receipt }) => receipt), ...ends };
}
