/** The execution side's part in the life of a block: its spans hang where the message says. See specs/node/tracing.md#blocks. */
import type { BlockStopwatch } from "../execution/execution-chain.ts";
import type { ExecutionPort } from "../execution/port.ts";
import type { Tracer } from "./tracer.ts";

type Times = Parameters<BlockStopwatch["onExecuted"]>[0];

export type TracedService = {
  /** Told how long the stages took, while a payload is executed. */
  onExecuted(times: Times): void;
  traced(service: ExecutionPort): ExecutionPort;
};

export function createTracedService(tracer: Tracer): TracedService {
  let stages: Times | undefined;
  return {
    onExecuted(times) {
      stages = times;
    },
    traced: (service) => ({
      ...service,
      async executePayload(request) {
        const { trace } = request;
        if (trace === undefined) return service.executePayload(request);
        const { traceId, spanId } = trace;
        const span = tracer.begin("execute payload", { traceId, parentSpanId: spanId });
        stages = undefined;
        // Executing is synchronous: when the call returns, its stages are known, and only storing is left.
        const storing = service.executePayload(request);
        const times = stages as Times | undefined;
        const executedMs = tracer.nowMs();
        try {
          const verdict = await storing;
          if (times !== undefined) {
            const { transactionsMs, stateMs, transactions, gasUsed } = times;
            const trieFromMs = executedMs - stateMs;
            const counts = { transactions, gas: Number(gasUsed) };
            tracer.record("transactions", span.context, trieFromMs - transactionsMs, trieFromMs, counts);
            tracer.record("state and trie", span.context, trieFromMs, executedMs);
            tracer.record("commit", span.context, executedMs, tracer.nowMs());
          }
          span.end({ attributes: { verdict: verdict.status } });
          return verdict;
        } catch (error) {
          span.end({ error: String(error) });
          throw error;
        }
      },
    }),
  };
}
