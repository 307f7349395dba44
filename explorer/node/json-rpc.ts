/** JSON-RPC to the node that served this page. */

/** Where the page came from, unless `?rpc=` names another node. */
export const NODE_URL = new URLSearchParams(location.search).get("rpc") ?? `${location.origin}/`;

/** The node's own word for what was wrong, with the revert data of a call that failed. */
export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** A node that does not answer in this time is treated as gone. */
const TIMEOUT_MS = 15_000;

let nextId = 1;

/** @throws NodeError when the node refuses; TypeError or DOMException when it cannot be reached. */
export async function ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
  const response = await fetch(NODE_URL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new NodeError(response.status, text.trim() || response.statusText, undefined);
  const { result, error } = JSON.parse(text) as {
    result?: T;
    error?: { code: number; message: string; data?: unknown };
  };
  if (error !== undefined) throw new NodeError(error.code, error.message, error.data);
  return result as T;
}
