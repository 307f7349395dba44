/** Every method this node answers. See specs/rpc/methods.md. */
import type { Method } from "./method.ts";
import * as accounts from "./methods/accounts.ts";
import * as admin from "./methods/admin.ts";
import * as blocks from "./methods/blocks.ts";
import { call, createAccessList, estimateGas } from "./methods/calls.ts";
import { getContract } from "./methods/contracts.ts";
import { discoverOf } from "./methods/discover.ts";
import * as fees from "./methods/fees.ts";
import { fillTransaction } from "./methods/fill-transaction.ts";
import * as filters from "./methods/filters.ts";
import * as light from "./methods/light.ts";
import { live } from "./methods/live.ts";
import { getLogs } from "./methods/logs.ts";
import { modulesOf } from "./methods/modules.ts";
import * as network from "./methods/network.ts";
import * as nodeConfiguration from "./methods/node-configuration.ts";
import * as otterscan from "./methods/otterscan.ts";
import * as otterscanSearch from "./methods/otterscan-search.ts";
import * as pool from "./methods/pool.ts";
import * as raw from "./methods/raw.ts";
import { sendRawTransactionSync } from "./methods/send-sync.ts";
import { simulate } from "./methods/simulate.ts";
import { status } from "./methods/status.ts";
import { subscribe, unsubscribe } from "./methods/subscriptions.ts";
import * as traces from "./methods/traces.ts";
import * as transactions from "./methods/transactions.ts";
import * as uncles from "./methods/uncles.ts";
import { getWitness } from "./methods/witness.ts";

export const SERVED: readonly Method[] = [
  ...Object.values(network),
  ...Object.values(nodeConfiguration),
  ...Object.values(blocks),
  ...Object.values(uncles),
  transactions.sendRawTransaction,
  transactions.getTransactionByHash,
  transactions.getTransactionByBlockHashAndIndex,
  transactions.getTransactionByBlockNumberAndIndex,
  transactions.getTransactionReceipt,
  sendRawTransactionSync,
  ...Object.values(raw),
  ...Object.values(pool),
  ...Object.values(accounts),
  call,
  estimateGas,
  createAccessList,
  fillTransaction,
  simulate,
  ...Object.values(traces),
  ...Object.values(otterscan),
  ...Object.values(otterscanSearch),
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
  live,
  getContract,
  getWitness,
  ...Object.values(light),
];

/** `methods`, and those that tell about them. */
export function withReference(methods: readonly Method[]): readonly Method[] {
  const described = [...methods, modulesOf(methods)];
  return [...described, discoverOf(described)];
}

export const METHODS: readonly Method[] = withReference(SERVED);

/** With what is for operators only. */
export const METHODS_WITH_ADMIN: readonly Method[] = withReference([...SERVED, ...Object.values(admin)]);
