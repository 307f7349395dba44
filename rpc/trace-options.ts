/** Which tracer a client wants, and how. See specs/rpc/tracing.md#options. */
import type { TraceRequest } from "../vm/tracing/trace.ts";
import { boolean, objectOf, optional, quote, type Schema, SchemaError, text } from "./schema.ts";

const config = objectOf("a tracer's configuration", {
  onlyTopCall: optional(boolean, false),
  withLog: optional(boolean, false),
  diffMode: optional(boolean, false),
  withTree: optional(boolean, false),
});

const fields = objectOf("trace options", {
  tracer: optional(text),
  tracerConfig: optional(config, { onlyTopCall: false, withLog: false, diffMode: false, withTree: false }),
});

/** A tracer, and whether the client left it out and so expects the shape of geth's list of EVM steps. */
export type TraceOptions = { readonly request: TraceRequest; readonly asSteps: boolean };

/** Fields that other nodes know and this one does not need, such as `timeout`, are ignored. */
export const traceOptions: Schema<TraceOptions> = {
  expects: fields.expects,
  shape: fields.shape,
  read(json, at) {
    const { tracer, tracerConfig } = fields.read(json ?? {}, at);
    const { onlyTopCall, withLog, diffMode, withTree } = tracerConfig;
    switch (tracer) {
      case undefined:
      case "":
        return { request: { tracer: "callTracer", onlyTopCall: true, withLog: false }, asSteps: true };
      case "callTracer":
        return { request: { tracer, onlyTopCall, withLog }, asSteps: false };
      case "prestateTracer":
        return { request: { tracer, diffMode }, asSteps: false };
      case "jsTracer":
        return { request: { tracer, withTree }, asSteps: false };
      default: {
        const problem = `no tracer ${quote(tracer)}: use callTracer, prestateTracer or jsTracer`;
        throw new SchemaError(`${at}.tracer`, problem);
      }
    }
  },
  write: ({ request: { tracer, ...tracerConfig }, asSteps }) => (asSteps ? {} : { tracer, tracerConfig }),
  isOptional: true,
};
