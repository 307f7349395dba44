/** A JSON-RPC method as one value: name, schemas and handler. See specs/rpc/dispatch.md. */
import type { ChainView } from "./chain-view.ts";
import type { Filters } from "./filters.ts";
import type { JsonText } from "./json-text.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { ReceiptWaits } from "./receipt-waits.ts";
import { invalidParams } from "./rpc-errors.ts";
import type { RpcLimits } from "./rpc-limits.ts";
import { type Fields, type Schema, SchemaError, type ValuesOf } from "./schema.ts";
import type { Subscriber } from "./subscriptions.ts";

/** Memory and processor time of the node, for `jurat_status`. */
export type ProcessUsage = { readonly residentBytes: number; readonly cpuMs: number };

/** What a handler may use. One per connection. */
export type RpcContext = {
  readonly chain: ChainView;
  readonly filters: Filters;
  readonly limits: RpcLimits;
  /** Of the connection. */
  readonly rate: RateLimit;
  readonly receiptWaits: ReceiptWaits;
  processUsage(): ProcessUsage;
  /** The WebSocket connection to notify; undefined over HTTP. */
  readonly subscriber: Subscriber | undefined;
};

/** Parameters are positional on the wire, in the order of the fields of `params`. */
export type Method<P extends Fields = Fields, R = unknown> = {
  readonly name: string;
  readonly summary: string;
  readonly params: P;
  readonly result: Schema<R>;
  /** What `result` writes, or the JSON itself. */
  handle(context: RpcContext, params: ValuesOf<P>): R | JsonText | Promise<R | JsonText>;
};

export function method<P extends Fields, R>(definition: Method<P, R>): Method<P, R> {
  return definition;
}

/**
 * The arguments of a call by name, read by the method's schemas.
 * @throws RpcError -32602 naming the parameter.
 */
export function readParams(called: Method, json: unknown): ValuesOf<Fields> {
  if (json !== undefined && json !== null && !Array.isArray(json)) throw invalidParams("non-array args");
  const given: readonly unknown[] = json ?? [];
  const schemas = entriesOf(called.params);
  if (given.length > schemas.length) {
    throw invalidParams(`too many arguments, want at most ${schemas.length}`);
  }
  const values: { [name: string]: unknown } = {};
  for (const [index, [name, schema]] of schemas.entries()) {
    const argument = given[index];
    if (argument === undefined && schema.isOptional !== true) {
      throw invalidParams(`missing value for required argument ${index} (${name})`);
    }
    values[name] = readArgument(schema, argument, index, name);
  }
  return values;
}

const entries = new WeakMap<Fields, readonly [string, Schema<unknown>][]>();

/** A method's parameters in order; listing them anew for each call would cost as much as reading them. */
function entriesOf(params: Fields): readonly [string, Schema<unknown>][] {
  const known = entries.get(params) ?? Object.entries(params);
  entries.set(params, known);
  return known;
}

function readArgument(schema: Schema<unknown>, argument: unknown, index: number, name: string): unknown {
  try {
    return schema.read(argument, name);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw invalidParams(`invalid argument ${index} (${error.at}): ${error.problem}`);
  }
}
