/** Every method this node answers. See specs/rpc/methods.md. */
import type { Method } from "./method.ts";
import * as accounts from "./methods/accounts.ts";
import * as blocks from "./methods/blocks.ts";
import { call, estimateGas } from "./methods/calls.ts";
import * as fees from "./methods/fees.ts";
import * as filters from "./methods/filters.ts";
import { getLogs } from "./methods/logs.ts";
import * as network from "./methods/network.ts";
import * as pool from "./methods/pool.ts";
import { status } from "./methods/status.ts";
import { subscribe, unsubscribe } from "./methods/subscriptions.ts";
import * as transactions from "./methods/transactions.ts";
import * as uncles from "./methods/uncles.ts";

export const METHODS: readonly Method[] = [
  ...Object.values(network),
  ...Object.values(blocks),
  ...Object.values(uncles),
  ...Object.values(transactions),
  ...Object.values(pool),
  ...Object.values(accounts),
  call,
  estimateGas,
  ...Object.values(fees),
  getLogs,
  filters.newFilter,
  filters.newBlockFilter,
  filters.newPendingTransactionFilter,
  filters.getFilterChanges,
  filters.getFilterLogs,
  filters.uninstallFilter,
  subscribe,
  unsubscribe,
  status,
];
