/** Everything the execution thread traces, when there is a collector. See specs/node/tracing.md. */
import type { Registry } from "prom-client";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { BlockStopwatch } from "../execution/execution-chain.ts";
import type { ExecutionPort, ExecutionUpcalls } from "../execution/port.ts";
import type { ExecutionWorkerOptions } from "../execution/worker-options.ts";
import { createTracedService } from "./traced-service.ts";
import { openTracer } from "./tracer.ts";
import { createTransactionTraces, type TransactionTraces } from "./transaction-traces.ts";

type OnExecuted = BlockStopwatch["onExecuted"];

export type ExecutionTraces = {
  readonly transactions: TransactionTraces;
  /** Listens to the stages of blocks before another listener. */
  alsoTold(onExecuted: OnExecuted): OnExecuted;
  traced(service: ExecutionPort): ExecutionPort;
  /** Tells the consensus thread first where the spans of the gossip hang. */
  readonly publishTransactions: ExecutionUpcalls["publishTransactions"];
  /** Ends what is open and sends it. */
  close(): Promise<void>;
};

/** Undefined without --otlp. */
export function openExecutionTraces(
  tracing: ExecutionWorkerOptions["tracing"],
  registry: Registry,
  upcalls: Pick<ExecutionUpcalls, "traceGossip" | "publishTransactions">,
): ExecutionTraces | undefined {
  const tracer = openTracer(tracing?.url, "execution", tracing?.instance ?? "", registry);
  if (tracer === undefined) return undefined;
  const transactions = createTransactionTraces(tracer);
  const { onExecuted, traced } = createTracedService(tracer);
  return {
    ...{ transactions, traced },
    alsoTold: (also) => (times) => {
      onExecuted(times);
      also(times);
    },
    publishTransactions(raws) {
      for (const raw of raws) upcalls.traceGossip(transactions.contextOf(keccak256Hex(raw)));
      upcalls.publishTransactions(raws);
    },
    close() {
      transactions.close();
      return tracer.close();
    },
  };
}
