/** A small typed client: calls a node with the same method values that serve there. See specs/rpc/dispatch.md#client. */
import { isJsonObject } from "./json.ts";
import type { Method } from "./method.ts";
import { ERROR_CODES, RpcError } from "./rpc-errors.ts";
import type { Fields, ValuesOf } from "./schema.ts";

/** What a call of the method resolves to. */
export type ResultOf<M> = M extends Method<infer _Params, infer Result> ? Result : never;

/** How long an answer may take before the call fails. */
export const CLIENT_TIMEOUT_MS = 2000;

/**
 * Calls `called` on the node at `url` (HTTP).
 * @throws RpcError when the node answers with an error; Error when it does not answer, or not JSON-RPC.
 */
export async function callNode<P extends Fields, R>(
  url: string,
  called: Method<P, R>,
  params: ValuesOf<P>,
): Promise<R> {
  const { name } = called;
  const positional = Object.entries(called.params).map(([field, schema]) => schema.write(params[field]));
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: name, params: positional }),
    signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS),
  });
  const answer: unknown = await response.json();
  if (isJsonObject(answer) && isJsonObject(answer["error"])) {
    const { code, message } = answer["error"];
    throw new RpcError(typeof code === "number" ? code : ERROR_CODES.internal, `${name}: ${String(message)}`);
  }
  if (!isJsonObject(answer) || answer["result"] === undefined) {
    throw new Error(`${name} on ${url}: no JSON-RPC answer`);
  }
  return called.result.read(answer["result"], name);
}
