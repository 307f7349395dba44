/** Spans as an ExportTraceServiceRequest in the JSON mapping of OTLP. See specs/node/tracing.md#export. */
import type { Attributes, Span } from "./span.ts";

/** opentelemetry-proto v1.5.0, trace.proto: SPAN_KIND_INTERNAL. */
const KIND_INTERNAL = 1;
/** STATUS_CODE_ERROR; STATUS_CODE_UNSET is a status without a code. */
const STATUS_ERROR = 2;

export type Resource = {
  readonly version: string;
  /** Tells the nodes of a machine apart. */
  readonly instance: string;
  readonly thread: string;
};

/** Enums are numbers, ids lower-case hex, 64-bit integers decimal strings (OTLP, "JSON Protobuf Encoding"). */
export function encodeOtlp(spans: readonly Span[], { version, instance, thread }: Resource): unknown {
  const resource = {
    attributes: attributesOf({
      "service.name": "jurat",
      "service.version": version,
      "service.instance.id": instance,
      "thread.name": thread,
    }),
  };
  const scopeSpans = [{ scope: { name: "jurat", version }, spans: spans.map(spanOf) }];
  return { resourceSpans: [{ resource, scopeSpans }] };
}

function spanOf({ traceId, spanId, parentSpanId, name, startMs, endMs, attributes, error }: Span): unknown {
  return {
    ...{ traceId, spanId },
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    ...{ name, kind: KIND_INTERNAL },
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(endMs),
    attributes: attributesOf(attributes),
    status: error === undefined ? {} : { code: STATUS_ERROR, message: error },
  };
}

/** Milliseconds hold microseconds and a little more: more digits would be noise. */
function nanosOf(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}

function attributesOf(attributes: Attributes): readonly unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

function anyValueOf(value: string | number | boolean): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
