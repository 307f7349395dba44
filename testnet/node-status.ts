/** Asks a node over JSON-RPC where it stands. */

/** The answer of `jurat_status`; slots, counts and bytes are numbers. */
export type NodeStatus = {
  readonly slot: number;
  readonly headSlot: number;
  readonly headNumber: number;
  readonly justifiedEpoch: number;
  readonly finalizedEpoch: number;
  readonly finalizedNumber: number;
  readonly finalityLagSlots: number;
  readonly peers: number;
  readonly localValidators: number;
  readonly localVotes: number;
  readonly pendingTransactions: number;
  readonly rssBytes: number;
  readonly cpuPercent: number;
};

const REQUEST_TIMEOUT_MS = 2_000;

/** @throws Error when the node does not answer in time or answers with an error. */
export async function callNode<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const answer = (await response.json()) as { result?: T; error?: { message: string } };
  if (answer.error !== undefined || answer.result === undefined) {
    throw new Error(`${method} on ${url}: ${answer.error?.message ?? "no result"}`);
  }
  return answer.result;
}

/** Undefined while the node does not answer: it may be starting, busy or dead, which its process tells. */
export async function nodeStatus(url: string): Promise<NodeStatus | undefined> {
  return callNode<NodeStatus>(url, "jurat_status").catch(() => undefined);
}
