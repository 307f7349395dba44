/** Which tracer a client wants, and how. See specs/rpc/tracing.md#options. */
import type { TraceRequest } from "../vm/tracing/trace.ts";
import { boolean, objectOf, optional, type Schema, SchemaError, text } from "./schema.ts";

const config = objectOf("a tracer's configuration", {
  onlyTopCall: optional(boolean, false),
  withLog: optional(boolean, false),
  diffMode: optional(boolean, false),
});

const fields = objectOf("trace options", {
  tracer: optional(text),
  tracerConfig: optional(config, { onlyTopCall: false, withLog: false, diffMode: false }),
});

/** Fields that other nodes know and this one does not need, such as `timeout`, are ignored. */
export const traceOptions: Schema<TraceRequest> = {
  expects: fields.expects,
  shape: fields.shape,
  read(json, at) {
    const { tracer, tracerConfig } = fields.read(json ?? {}, at);
    const { onlyTopCall, withLog, diffMode } = tracerConfig;
    if (tracer === "callTracer") return { tracer, onlyTopCall, withLog };
    if (tracer === "prestateTracer") return { tracer, diffMode };
    // Without a name geth lists the EVM's steps; contracts here are not EVM code.
    const name =
      tracer === undefined
        ? "without a tracer there is nothing to show"
        : `no tracer ${JSON.stringify(tracer)}`;
    throw new SchemaError(`${at}.tracer`, `${name}: use callTracer or prestateTracer`);
  },
  write: ({ tracer, ...tracerConfig }) => ({ tracer, tracerConfig }),
  isOptional: true,
};
