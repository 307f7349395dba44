/** eth_subscribe: what the chain does, told to WebSocket connections. See specs/rpc/subscriptions.md. */
import type { Hex } from "../primitives/bytes.ts";
import type { RecoveredTransaction } from "../vm/transaction.ts";
import type { ChainView, HeadChange, LogFilter } from "./chain-view.ts";
import { encodeHeaderFields } from "./encode-block.ts";
import { encodeLog } from "./encode-log.ts";
import { encodeTransaction } from "./encode-transaction.ts";
import { type LogEvent, logsOfChange, randomIdentifier } from "./head-events.ts";
import type { LivePicture } from "./live-picture.ts";
import { matchesLog } from "./log-filter.ts";
import { ERROR_CODES, RpcError } from "./rpc-errors.ts";
import type { RpcLimits } from "./rpc-limits.ts";
import { encodeSyncing } from "./syncing.ts";

export type SubscriptionKind =
  | { readonly type: "newHeads" }
  | { readonly type: "logs"; readonly filter: LogFilter }
  | { readonly type: "newPendingTransactions"; readonly full: boolean }
  | { readonly type: "syncing" }
  | { readonly type: "juratLive" };

/** The subscriptions of one connection. */
export type Subscriber = {
  /** @throws RpcError -32005 when the connection has too many. */
  subscribe(kind: SubscriptionKind): Hex;
  unsubscribe(id: Hex): boolean;
};

export type ConnectedSubscriber = Subscriber & {
  /**
   * Lets notifications out. Called after each answer is sent: a client must learn the identifier of
   * a subscription before its first notification.
   */
  release(): void;
  close(): void;
};

export type SubscriptionHub = {
  connect(send: (text: string) => void): ConnectedSubscriber;
  /** Of all connections. */
  subscriptions(): number;
  /** Stops listening to the chain. */
  close(): void;
};

type Connection = {
  readonly kinds: Map<Hex, SubscriptionKind>;
  /** Notifications of subscriptions whose identifier is not sent yet. */
  readonly held: Map<Hex, string[]>;
  send(text: string): void;
};

/** One listener on the chain for all connections: each block is encoded once, however many watch. */
export function createSubscriptionHub(chain: ChainView, limits: RpcLimits): SubscriptionHub {
  const connections = new Set<Connection>();
  let wasSyncing = encodeSyncing(chain) !== false;

  function notify(
    type: SubscriptionKind["type"],
    texts: (kind: SubscriptionKind) => readonly string[],
  ): void {
    for (const connection of connections) {
      for (const [id, kind] of connection.kinds) {
        if (kind.type !== type) continue;
        for (const text of texts(kind)) deliver(connection, id, text);
      }
    }
  }

  function onHead(change: HeadChange): void {
    const heads = once(() =>
      change.added.map(({ hash, header }) => JSON.stringify(encodeHeaderFields(hash, header))),
    );
    notify("newHeads", heads);
    const logs = once(() => encodeEvents(logsOfChange(chain, change)));
    notify("logs", (kind) =>
      kind.type === "logs"
        ? logs().flatMap(({ log, text }) => (matchesLog(kind.filter, log) ? text : []))
        : [],
    );
    notifySyncing();
  }

  function notifySyncing(): void {
    const status = encodeSyncing(chain);
    const isSyncing = status !== false;
    if (isSyncing === wasSyncing) return;
    wasSyncing = isSyncing;
    const text = JSON.stringify(isSyncing ? { syncing: true, status } : false);
    notify("syncing", () => [text]);
  }

  function onPendingTransaction(transaction: RecoveredTransaction): void {
    const full = once(() => [JSON.stringify(encodeTransaction(transaction, undefined))]);
    const hash = [JSON.stringify(transaction.hash)];
    notify("newPendingTransactions", (kind) =>
      kind.type === "newPendingTransactions" && kind.full ? full() : hash,
    );
  }

  const onPicture = (picture: LivePicture) => {
    const text = once(() => [JSON.stringify(picture)]);
    notify("juratLive", text);
  };

  function connect(send: (text: string) => void): ConnectedSubscriber {
    const connection: Connection = { kinds: new Map(), held: new Map(), send };
    connections.add(connection);
    return {
      subscribe(kind) {
        if (connection.kinds.size >= limits.subscriptionsPerConnection) {
          throw new RpcError(ERROR_CODES.limitExceeded, "too many subscriptions");
        }
        const id = randomIdentifier();
        connection.kinds.set(id, kind);
        connection.held.set(id, []);
        return id;
      },
      unsubscribe(id) {
        connection.held.delete(id);
        return connection.kinds.delete(id);
      },
      release: () => release(connection),
      close: () => connections.delete(connection),
    };
  }

  const endHeads = chain.subscribe({ onHead, onPendingTransaction });
  const endPictures = chain.onLivePicture(onPicture);
  const close = () => {
    endHeads();
    endPictures();
  };
  return { connect, subscriptions: () => countSubscriptions(connections), close };
}

function countSubscriptions(connections: Iterable<Connection>): number {
  let count = 0;
  for (const { kinds } of connections) count += kinds.size;
  return count;
}

function deliver(connection: Connection, id: Hex, result: string): void {
  const text = `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${result}}}`;
  const held = connection.held.get(id);
  if (held === undefined) connection.send(text);
  else held.push(text);
}

function release({ held, send }: Connection): void {
  const texts = [...held.values()].flat();
  held.clear();
  for (const text of texts) send(text);
}

function encodeEvents(events: readonly LogEvent[]): readonly (LogEvent & { readonly text: string })[] {
  return events.map((event) => ({ ...event, text: JSON.stringify(encodeLog(event.log, event.removed)) }));
}

/** Computes on first use, and only then. */
function once<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => {
    computed ??= { value: compute() };
    return computed.value;
  };
}
