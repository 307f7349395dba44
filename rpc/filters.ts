/** Filters that clients poll over HTTP, bounded and forgotten when idle. See specs/rpc/filters.md. */
import type { Hex } from "../primitives/bytes.ts";
import type { RecoveredTransaction } from "../vm/transaction.ts";
import type { ChainView, HeadChange, LocatedLog } from "./chain-view.ts";
import { encodeLog } from "./encode-log.ts";
import { type LogEvent, logsOfChange, randomIdentifier } from "./head-events.ts";
import type { Json } from "./json.ts";
import { type LogQuery, type LogRange, matchesLog } from "./log-filter.ts";
import { ERROR_CODES, RpcError, serverError } from "./rpc-errors.ts";
import type { RpcLimits } from "./rpc-limits.ts";

export type FilterKind =
  | { readonly type: "logs"; readonly query: LogQuery }
  | { readonly type: "blocks" }
  | { readonly type: "pendingTransactions" };

export type Filters = {
  /** @throws RpcError -32005 when there are too many. */
  install(kind: FilterKind): Hex;
  /** What happened since the last poll. @throws RpcError "filter not found". */
  changes(id: Hex): readonly Json[];
  /** What a log filter asks for. @throws RpcError "filter not found". */
  logQuery(id: Hex): LogQuery;
  /** Whether there was such a filter. */
  uninstall(id: Hex): boolean;
  /** Stops listening to the chain. */
  close(): void;
};

type Filter = { readonly kind: FilterKind; entries: Json[]; polledAtMs: number };

/** @param now milliseconds of a clock that never goes back. */
export function createFilters(chain: ChainView, limits: RpcLimits, now: () => number): Filters {
  const filters = new Map<Hex, Filter>();

  function dropIdle(): void {
    const oldestAllowed = now() - limits.filterIdleMs;
    for (const [id, filter] of filters) if (filter.polledAtMs < oldestAllowed) filters.delete(id);
  }

  function require(id: Hex): Filter {
    dropIdle();
    const filter = filters.get(id);
    if (filter === undefined) throw serverError("filter not found");
    filter.polledAtMs = now();
    return filter;
  }

  /** A filter nobody empties is dropped whole: a gap in its answers would go unnoticed. */
  function append(id: Hex, filter: Filter, entries: readonly Json[]): void {
    if (filter.entries.length + entries.length > limits.filterEntries) filters.delete(id);
    else filter.entries.push(...entries);
  }

  function onHead(change: HeadChange): void {
    dropIdle();
    let events: readonly LogEvent[] | undefined;
    for (const [id, filter] of filters) {
      if (filter.kind.type === "blocks")
        append(
          id,
          filter,
          change.added.map((block) => block.hash),
        );
      if (filter.kind.type !== "logs") continue;
      const { query } = filter.kind;
      events ??= logsOfChange(chain, change);
      const matching = events.filter(
        ({ log }) => isInside(query.range, log) && matchesLog(query.filter, log),
      );
      append(
        id,
        filter,
        matching.map(({ log, removed }) => encodeLog(log, removed)),
      );
    }
  }

  function onPendingTransaction({ hash }: RecoveredTransaction): void {
    for (const [id, filter] of filters) {
      if (filter.kind.type === "pendingTransactions") append(id, filter, [hash]);
    }
  }

  function install(kind: FilterKind): Hex {
    dropIdle();
    if (filters.size >= limits.filters) throw new RpcError(ERROR_CODES.limitExceeded, "too many filters");
    const id = randomIdentifier();
    filters.set(id, { kind, entries: [], polledAtMs: now() });
    return id;
  }

  function changes(id: Hex): readonly Json[] {
    const filter = require(id);
    const { entries } = filter;
    filter.entries = [];
    return entries;
  }

  function logQuery(id: Hex): LogQuery {
    const { kind } = require(id);
    if (kind.type !== "logs") throw serverError("filter not found");
    return kind.query;
  }

  const close = chain.subscribe({ onHead, onPendingTransaction });
  return { install, changes, logQuery, uninstall: (id) => filters.delete(id), close };
}

/** Only numbers bound a filter for coming logs; tags move with the chain. */
function isInside(range: LogRange, log: LocatedLog): boolean {
  if ("blockHash" in range) return range.blockHash === log.blockHash;
  const { from, to } = range;
  if (from !== undefined && "number" in from && log.blockNumber < from.number) return false;
  return to === undefined || !("number" in to) || log.blockNumber <= to.number;
}
