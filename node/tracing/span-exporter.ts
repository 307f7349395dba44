/** Sends ended spans to a collector, in batches; what does not fit is dropped and counted. See specs/node/tracing.md#export. */
import { encodeOtlp, type Resource } from "./otlp-json.ts";
import type { Span } from "./span.ts";

/** Spans that wait: about 2 MB. A collector that is slow or gone costs no more. */
export const QUEUE_LIMIT = 4096;
const BATCH_SPANS = 512;
const EXPORT_EVERY_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;

/** `refused`: the collector said no, or nothing; those spans are gone. */
export type SpanOutcome = "exported" | "dropped" | "refused";

export type SpanExporter = {
  add(span: Span): void;
  /** Sends what waits, once, and ends. */
  close(): Promise<void>;
};

export type SpanExporterOptions = {
  /** The collector's base, such as http://127.0.0.1:4318; /v1/traces is added. */
  readonly url: string;
  readonly resource: Resource;
  readonly onOutcome: (outcome: SpanOutcome, spans: number) => void;
};

export function createSpanExporter({ url, resource, onOutcome }: SpanExporterOptions): SpanExporter {
  const endpoint = `${url.replace(/\/+$/, "")}/v1/traces`;
  const queue: Span[] = [];
  let sending: Promise<void> | undefined;
  const send = async () => {
    // One batch at a time: a slow collector is not asked faster.
    const batch = queue.splice(0, BATCH_SPANS);
    if (batch.length === 0) return;
    const isTaken = await post(endpoint, JSON.stringify(encodeOtlp(batch, resource)));
    onOutcome(isTaken ? "exported" : "refused", batch.length);
  };
  const flush = () => {
    sending ??= send().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  const timer = setInterval(() => void flush(), EXPORT_EVERY_MS);
  timer.unref();
  return {
    add(span) {
      if (queue.length >= QUEUE_LIMIT) {
        onOutcome("dropped", 1);
        return;
      }
      queue.push(span);
      if (queue.length >= BATCH_SPANS) void flush();
    },
    async close() {
      clearInterval(timer);
      await sending;
      await flush();
      if (queue.length > 0) onOutcome("dropped", queue.length);
    },
  };
}

/** Tracing must not disturb the node: whatever fails is an answer. */
async function post(endpoint: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(EXPORT_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
