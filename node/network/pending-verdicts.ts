/** Gossip messages that wait for the node's verdict. See specs/network/gossip.md#verdicts */
import type { PeerId, Verdict } from "./network-port.ts";

export interface VerdictLimits {
  /** Messages waiting, from one peer and in all. */
  readonly perPeer: number;
  readonly total: number;
  /** Their bytes in all. */
  readonly totalBytes: number;
  /** Waiting time after which the verdict is "ignore". */
  readonly timeoutMs: number;
}

export const VERDICT_LIMITS: VerdictLimits = {
  perPeer: 1024,
  total: 8192,
  totalBytes: 64 << 20,
  timeoutMs: 12_000,
};

interface Pending {
  readonly peer: PeerId;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly settle: (verdict: Verdict) => void;
}

export class PendingVerdicts {
  readonly #limits: VerdictLimits;
  /** In order of arrival. */
  readonly #pending = new Map<string, Pending>();
  readonly #perPeer = new Map<PeerId, number>();
  #bytes = 0;

  constructor(limits: VerdictLimits = VERDICT_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Resolves with the verdict, or undefined at once when there is no room for one more. */
  wait(messageId: string, peer: PeerId, bytes: number, nowMs: number): Promise<Verdict> | undefined {
    const ofPeer = this.#perPeer.get(peer) ?? 0;
    if (
      ofPeer >= this.#limits.perPeer ||
      this.#pending.size >= this.#limits.total ||
      this.#bytes + bytes > this.#limits.totalBytes ||
      this.#pending.has(messageId)
    ) {
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    this.#pending.set(messageId, { peer, bytes, sinceMs: nowMs, settle: resolve });
    this.#perPeer.set(peer, ofPeer + 1);
    this.#bytes += bytes;
    return promise;
  }

  /** Who sent a message that waits. */
  sender(messageId: string): PeerId | undefined {
    return this.#pending.get(messageId)?.peer;
  }

  settle(messageId: string, verdict: Verdict): boolean {
    const entry = this.#pending.get(messageId);
    if (entry === undefined) return false;
    this.#pending.delete(messageId);
    this.#bytes -= entry.bytes;
    const left = (this.#perPeer.get(entry.peer) ?? 1) - 1;
    if (left === 0) this.#perPeer.delete(entry.peer);
    else this.#perPeer.set(entry.peer, left);
    entry.settle(verdict);
    return true;
  }

  /** Settles with "ignore" what has waited too long. Cost: only what is settled. */
  expire(nowMs: number): void {
    for (const [messageId, { sinceMs }] of this.#pending) {
      if (nowMs - sinceMs < this.#limits.timeoutMs) return;
      this.settle(messageId, "ignore");
    }
  }

  settleAll(verdict: Verdict): void {
    for (const messageId of [...this.#pending.keys()]) this.settle(messageId, verdict);
  }
}
