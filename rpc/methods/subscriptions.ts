/** eth_subscribe and eth_unsubscribe, over WebSocket only. See specs/rpc/subscriptions.md. */
import type { LogFilter } from "../chain-view.ts";
import { orNull } from "../json-schema.ts";
import { logQuery } from "../log-filter.ts";
import { method, type RpcContext } from "../method.ts";
import { ERROR_CODES, invalidParams, RpcError, serverError } from "../rpc-errors.ts";
import { boolean, type Schema, text } from "../schema.ts";
import type { Subscriber, SubscriptionKind } from "../subscriptions.ts";
import { identifier } from "./filters.ts";

/** The second argument: a log filter or a flag, depending on the first. */
type Detail = LogFilter | boolean | undefined;

const detail: Schema<Detail> = {
  expects: "a log filter for logs, true for whole pending transactions, or nothing",
  shape: orNull({ anyOf: [logQuery.shape, { type: "boolean" }] }),
  isOptional: true,
  read(json, at) {
    if (json === undefined || json === null) return undefined;
    return typeof json === "boolean" ? json : logQuery.read(json, at).filter;
  },
  write(value) {
    if (value === undefined) return null;
    return typeof value === "boolean" ? boolean.write(value) : { address: value.addresses };
  },
};

export const subscribe = method({
  name: "eth_subscribe",
  summary: "Notifies this connection of newHeads, logs, newPendingTransactions, syncing or juratLive.",
  params: { kind: text, detail },
  result: identifier,
  handle: (context, params) => requireSubscriber(context).subscribe(readKind(params.kind, params.detail)),
});

export const unsubscribe = method({
  name: "eth_unsubscribe",
  summary: "Ends a subscription of this connection.",
  params: { id: identifier },
  result: boolean,
  handle(context, { id }) {
    if (!requireSubscriber(context).unsubscribe(id)) throw serverError("subscription not found");
    return true;
  },
});

/** @throws RpcError over HTTP, where nothing can be notified. */
function requireSubscriber({ subscriber }: RpcContext): Subscriber {
  if (subscriber === undefined) throw new RpcError(ERROR_CODES.methodNotFound, "notifications not supported");
  return subscriber;
}

function readKind(name: string, given: Detail): SubscriptionKind {
  switch (name) {
    case "newHeads":
    case "syncing":
    case "juratLive":
      return { type: name };
    case "newPendingTransactions":
      return { type: name, full: given === true };
    case "logs":
      return { type: name, filter: typeof given === "object" ? given : { addresses: [], topics: [] } };
    default:
      throw invalidParams(`no "${name}" subscription in eth namespace`);
  }
}
