/** Polled filters: install, read what changed, remove. See specs/rpc/filters.md. */

import type { Hex } from "../../primitives/bytes.ts";
import type { BlockReference } from "../chain-view.ts";
import type { Json } from "../json.ts";
import { arrayOf, HEX, ref } from "../json-schema.ts";
import { logQuery } from "../log-filter.ts";
import { method } from "../method.ts";
import { invalidParams } from "../rpc-errors.ts";
import { asJson, boolean, quantity, type Schema, toQuantity } from "../schema.ts";
import { findLogs } from "./logs.ts";

/** The identifier of a filter or subscription. */
export const identifier: Schema<Hex> = {
  expects: "an identifier that was handed out before",
  shape: HEX.quantity,
  read: (json, at) => toQuantity(quantity.read(json, at)),
  write: (value) => value,
};

export const newFilter = method({
  name: "eth_newFilter",
  summary: "A filter that collects coming logs.",
  params: { filter: logQuery },
  result: identifier,
  handle({ filters }, { filter }) {
    const { range } = filter;
    if (!("blockHash" in range) && isReversed(range.from, range.to)) {
      throw invalidParams("invalid block range params");
    }
    return filters.install({ type: "logs", query: filter });
  },
});

/** Tags move with the chain, so only two numbers can contradict each other. */
function isReversed(from: BlockReference | undefined, to: BlockReference | undefined): boolean {
  if (from === undefined || to === undefined) return false;
  return "number" in from && "number" in to && from.number > to.number;
}

export const newBlockFilter = method({
  name: "eth_newBlockFilter",
  summary: "A filter that collects hashes of coming blocks.",
  params: {},
  result: identifier,
  handle: ({ filters }) => filters.install({ type: "blocks" }),
});

export const newPendingTransactionFilter = method({
  name: "eth_newPendingTransactionFilter",
  summary: "A filter that collects hashes of transactions entering the pool.",
  params: {},
  result: identifier,
  handle: ({ filters }) => filters.install({ type: "pendingTransactions" }),
});

export const getFilterChanges = method({
  name: "eth_getFilterChanges",
  summary: "What a filter collected since it was last asked.",
  params: { id: identifier },
  result: asJson<readonly Json[]>("hashes or logs", { anyOf: [arrayOf(HEX.hash), arrayOf(ref("Log"))] }),
  handle: ({ filters }, { id }) => filters.changes(id),
});

export const getFilterLogs = method({
  name: "eth_getFilterLogs",
  summary: "All logs in the range of a log filter, as eth_getLogs gives them.",
  params: { id: identifier },
  result: asJson<readonly Json[]>("logs", arrayOf(ref("Log"))),
  handle: ({ chain, filters, limits }, { id }) => findLogs(chain, filters.logQuery(id), limits),
});

export const uninstallFilter = method({
  name: "eth_uninstallFilter",
  summary: "Removes a filter; whether there was one.",
  params: { id: identifier },
  result: boolean,
  handle: ({ filters }, { id }) => filters.uninstall(id),
});
