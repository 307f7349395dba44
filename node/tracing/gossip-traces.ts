/** The time from a user's transaction in the execution thread to its batch on the wire. See specs/node/tracing.md#transactions. */
import type { NodeConfig } from "../config.ts";
import type { TraceContext } from "./span.ts";
import type { OpenSpan, Tracer } from "./tracer.ts";

/** Spans that wait for a batch; one is full with a hundred transactions. */
const WAITING_LIMIT = 4096;

export type GossipTraces = {
  /** A transaction is on its way to the next batch. */
  begin(trace: TraceContext): void;
  /** All that wait are in this batch. */
  endWith(published: Promise<number>): void;
};

export function createGossipTraces(tracer: Tracer): GossipTraces {
  let waiting: OpenSpan[] = [];
  return {
    begin({ traceId, spanId }) {
      if (waiting.length < WAITING_LIMIT)
        waiting.push(tracer.begin("gossip", { traceId, parentSpanId: spanId }));
    },
    endWith(published) {
      const spans = waiting;
      waiting = [];
      const end = (attributes: { readonly peers: number } | Record<never, never>, error?: string) => {
        for (const span of spans) span.end({ attributes, error });
      };
      published.then(
        (peers) => end({ peers }),
        (error: unknown) => end({}, String(error)),
      );
    },
  };
}

/** What tells this node from the others of a machine. */
export function instanceOf({ rpcHost, rpcPort }: Pick<NodeConfig, "rpcHost" | "rpcPort">): string {
  return `${rpcHost}:${rpcPort}`;
}
