/** What the page trusted last time, so that a node cannot change its validators between two visits. */
import type { Checkpoint } from "../../light/verified/finality-follower.ts";
import { NODE_URL } from "../node/json-rpc.ts";

const KEY = `jurat checkpoint ${NODE_URL}`;

/** `?checkpoint=<root>` of somebody the reader trusts, or what was stored; undefined on a first visit. */
export function readCheckpoint(chainId: number): Checkpoint | undefined {
  const given = new URLSearchParams(location.search).get("checkpoint");
  if (given !== null && isRoot(given)) return { root: given, chainId };
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Checkpoint> | null;
    const { root, period } = stored ?? {};
    if (stored?.chainId !== chainId || root === undefined || !isRoot(root) || period === undefined)
      return undefined;
    return { root, period, chainId };
  } catch {
    // Not ours, or no storage at all: as on a first visit.
    return undefined;
  }
}

export function writeCheckpoint(checkpoint: Checkpoint): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(checkpoint));
  } catch {
    // Without storage every visit is the first.
  }
}

export function forgetCheckpoint(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // There is nothing to forget.
  }
}

function isRoot(text: string): text is `0x${string}` {
  return /^0x[0-9a-f]{64}$/.test(text);
}
