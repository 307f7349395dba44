/** Begins and ends the spans of one thread. See specs/node/tracing.md. */
import { type Counter, Counter as PromCounter, type Registry } from "prom-client";
import { CLIENT_VERSION } from "../client-version.ts";
import { type Attributes, newSpanId, type Span, type TraceContext } from "./span.ts";
import { createSpanExporter, type SpanOutcome } from "./span-exporter.ts";

export type OpenSpan = {
  /** For children, also in other threads. */
  readonly context: TraceContext;
  /** Once; later calls change nothing. */
  end(more?: {
    readonly attributes?: Attributes;
    readonly error?: string | undefined;
    readonly atMs?: number;
  }): void;
};

export type SpanStart = {
  readonly traceId: string;
  readonly parentSpanId?: string | undefined;
  readonly startMs?: number;
  readonly attributes?: Attributes;
};

export type Tracer = {
  /** Milliseconds since 1970, with fractions. */
  nowMs(): number;
  begin(name: string, start: SpanStart): OpenSpan;
  /** A child of `parent` whose times are known. */
  record(name: string, parent: TraceContext, startMs: number, endMs: number, attributes?: Attributes): void;
  close(): Promise<void>;
};

/** @param add gets each span that ended. */
export function createTracer(add: (span: Span) => void, close: () => Promise<void>): Tracer {
  const nowMs = () => performance.timeOrigin + performance.now();
  const begin = (
    name: string,
    { traceId, parentSpanId, startMs = nowMs(), attributes = {} }: SpanStart,
  ): OpenSpan => {
    const context = { traceId, spanId: newSpanId() };
    let isOpen = true;
    return {
      context,
      end({ attributes: more = {}, error, atMs = nowMs() } = {}) {
        if (!isOpen) return;
        isOpen = false;
        add({
          ...context,
          parentSpanId,
          name,
          startMs,
          endMs: atMs,
          attributes: { ...attributes, ...more },
          error,
        });
      },
    };
  };
  return {
    nowMs,
    begin,
    record(name, { traceId, spanId }, startMs, endMs, attributes = {}) {
      begin(name, { traceId, parentSpanId: spanId, startMs, attributes }).end({ atMs: endMs });
    },
    close,
  };
}

/** Undefined without a collector: then nobody asks for the time, and nothing is kept. */
export function openTracer(
  url: string | undefined,
  thread: "consensus" | "execution",
  instance: string,
  registry: Registry,
): Tracer | undefined {
  if (url === undefined) return undefined;
  const counter = spanCounter(registry);
  const onOutcome = (outcome: SpanOutcome, spans: number) => counter.inc({ outcome }, spans);
  const resource = { version: CLIENT_VERSION, instance, thread };
  const exporter = createSpanExporter({ url, resource, onOutcome });
  return createTracer(exporter.add, exporter.close);
}

function spanCounter(registry: Registry): Counter<"outcome"> {
  return new PromCounter({
    name: "jurat_trace_spans_total",
    help: "Spans by what became of them: exported, refused by the collector, dropped for want of room.",
    labelNames: ["outcome"],
    registers: [registry],
  });
}
