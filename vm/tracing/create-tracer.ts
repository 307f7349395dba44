/** The tracer that a request names. See specs/vm/tracing.md. */
import { CallTracer } from "./call-tracer.ts";
import { PrestateTracer } from "./prestate-tracer.ts";
import type { TraceRequest } from "./trace.ts";
import type { Tracer } from "./tracer.ts";

/** Lines are traced otherwise: `traceLines`. */
export function createTracer(request: Exclude<TraceRequest, { tracer: "jsTracer" }>): Tracer {
  return request.tracer === "callTracer" ? new CallTracer(request) : new PrestateTracer(request.diffMode);
}
