/** Spans as plain data: what a trace consists of, and what crosses threads. See specs/node/tracing.md. */
import { randomBytes } from "node:crypto";
import type { Hash } from "../../primitives/bytes.ts";

/** Where a span hangs: plain data in messages between threads. */
export type TraceContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
};

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span that has ended. Times are milliseconds since 1970, with fractions. */
export type Span = TraceContext & {
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** What went wrong, if something did. */
  readonly error: string | undefined;
};

const SPAN_ID_BYTES = 8;

export function newSpanId(): string {
  return randomBytes(SPAN_ID_BYTES).toString("hex");
}

/** All nodes put what happens to one block or transaction into one trace: its id is the first half of the hash. */
export function traceIdOf(hash: Hash): string {
  return hash.slice(2, 34);
}
