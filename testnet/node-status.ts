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
  readonly residentBytes: number;
  /** Processor time since the process began. */
  readonly cpuMs: number;
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

/** Turns a process's total processor time into the share of one core it used since the last reading. */
export function createCpuMeter(nowMs: () => number): (cpuMs: number) => number {
  let last: { readonly atMs: number; readonly cpuMs: number } | undefined;
  return (cpuMs) => {
    const reading = { atMs: nowMs(), cpuMs };
    const percent =
      last === undefined ? 0 : (100 * (cpuMs - last.cpuMs)) / Math.max(1, reading.atMs - last.atMs);
    last = reading;
    return Math.max(0, percent);
  };
}
