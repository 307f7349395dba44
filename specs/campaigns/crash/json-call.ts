/** JSON-RPC without the client's schemas, and waiting: what a campaign does against real time. */

/** Long, since the campaign shares its cores with five processes: a slow answer is not a loss. */
const TIMEOUT_MS = 15_000;

export async function callJson<T>(url: string, method: string, params: readonly unknown[]): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { result, error } = (await response.json()) as {
    readonly result: T;
    readonly error?: { readonly message: string };
  };
  if (error !== undefined) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** A machine under load may not answer for long, which is no loss; after this it is. */
const PATIENCE_MS = 180_000;
const RETRY_MS = 500;

/**
 * A question that changes nothing, asked again until it is answered.
 * @throws what the last attempt threw, when the node does not answer for minutes.
 */
export async function askPatiently<T>(url: string, method: string, params: readonly unknown[]): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await callJson<T>(url, method, params);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(RETRY_MS);
    }
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
