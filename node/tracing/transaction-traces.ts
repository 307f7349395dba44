/** The life of each transaction that came over JSON-RPC, in the execution thread. See specs/node/tracing.md#transactions. */
import type { Hash } from "../../primitives/bytes.ts";
import type { Block } from "../../vm/block.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { ExecutionChainEvents } from "../execution/execution-chain.ts";
import { type TraceContext, traceIdOf } from "./span.ts";
import type { OpenSpan, Tracer } from "./tracer.ts";

/** Transactions whose life goes on; the oldest is ended as unfinished. */
export const OPEN_TRANSACTIONS_LIMIT = 4096;

type TransactionTrace = { readonly transaction: OpenSpan; includedIn: number | undefined };

export type TransactionTraces = ExecutionChainEvents & {
  /** A transaction is admitted: where the spans of its gossip hang. */
  contextOf(hash: Hash): TraceContext;
  /** Admits a transaction and waits until it is `stored`; times both. Rejects as they do. */
  received(submit: () => RecoveredTransaction, stored: () => Promise<void>): Promise<RecoveredTransaction>;
  /** Ends what is open. */
  close(): void;
};

export function createTransactionTraces(tracer: Tracer): TransactionTraces {
  const traces = new Map<Hash, TransactionTrace>();
  let receivedMs: number | undefined;
  const end = (hash: Hash, { transaction }: TransactionTrace, error?: string): void => {
    traces.delete(hash);
    transaction.end({ error });
  };
  /** Known from the moment it is gossiped, which is while it is being admitted. */
  const begin = (hash: Hash): TransactionTrace => {
    const known = traces.get(hash);
    if (known !== undefined) return known;
    const attributes = { "transaction.hash": hash };
    const start = {
      traceId: traceIdOf(hash),
      attributes,
      ...(receivedMs === undefined ? {} : { startMs: receivedMs }),
    };
    const trace = { transaction: tracer.begin("transaction", start), includedIn: undefined };
    traces.set(hash, trace);
    for (const [oldest, unfinished] of traces) {
      if (traces.size <= OPEN_TRANSACTIONS_LIMIT) break;
      end(oldest, unfinished, "not final when its trace was given up");
    }
    return trace;
  };
  const eachOf = (block: Block, act: (trace: TransactionTrace, hash: Hash) => void): void => {
    if (traces.size === 0) return;
    for (const { hash } of block.transactions) {
      const trace = traces.get(hash);
      if (trace !== undefined) act(trace, hash);
    }
  };

  return {
    contextOf: (hash) => begin(hash).transaction.context,
    async received(submit, stored) {
      const startMs = tracer.nowMs();
      receivedMs = startMs;
      let recovered: RecoveredTransaction;
      try {
        recovered = submit();
      } finally {
        receivedMs = undefined;
      }
      const { transaction } = begin(recovered.hash);
      const admittedMs = tracer.nowMs();
      tracer.record("pool", transaction.context, startMs, admittedMs);
      await stored();
      tracer.record("journal", transaction.context, admittedMs, tracer.nowMs());
      return recovered;
    },
    onHead({ added, removed }) {
      for (const block of removed) {
        eachOf(block, (trace) => {
          trace.includedIn = undefined;
        });
      }
      const nowMs = tracer.nowMs();
      for (const block of added) {
        eachOf(block, (trace) => {
          trace.includedIn = block.header.number;
          const attributes = { "block.number": block.header.number, "block.hash": block.hash };
          tracer.record("included", trace.transaction.context, nowMs, nowMs, attributes);
        });
      }
    },
    onMerged({ header }) {
      const nowMs = tracer.nowMs();
      for (const [hash, trace] of traces) {
        if (trace.includedIn === undefined || trace.includedIn > header.number) continue;
        tracer.record("final", trace.transaction.context, nowMs, nowMs);
        end(hash, trace);
      }
    },
    close() {
      for (const [hash, trace] of traces) end(hash, trace, "the node stopped");
    },
  };
}
