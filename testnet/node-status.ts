/** Asks a node over JSON-RPC where it stands. */
import { callNode, type ResultOf } from "../rpc/client.ts";
import { status } from "../rpc/methods/status.ts";

export type NodeStatus = ResultOf<typeof status>;

/** Undefined while the node does not answer: it may be starting, busy or dead, which its process tells. */
export async function nodeStatus(url: string): Promise<NodeStatus | undefined> {
  return callNode(url, status, {}).catch(() => undefined);
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
