/** Token buckets: how much one peer, and all together, may ask. See specs/network/requests.md#limits */

export interface Quota {
  /** Units that may be spent at once. */
  readonly burst: number;
  /** Units that come back in a second. */
  readonly perSecond: number;
}

/** Peers with a bucket; beyond, the one unused longest starts afresh. */
const MAX_BUCKETS = 1024;

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimiter {
  readonly #perPeer: Quota;
  readonly #total: Quota;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #all: Bucket;

  constructor(perPeer: Quota, total: Quota, nowMs: () => number) {
    this.#perPeer = perPeer;
    this.#total = total;
    this.#nowMs = nowMs;
    this.#all = { tokens: total.burst, atMs: nowMs() };
  }

  /**
   * Takes `cost` units from both buckets, or from none.
   * "peer" and "all" name the bucket that is empty: only the first is the peer's own fault.
   */
  take(peer: string, cost: number): "granted" | "peer" | "all" {
    const now = this.#nowMs();
    const bucket = this.#bucketOf(peer, now);
    refill(this.#all, this.#total, now);
    if (bucket.tokens < cost) return "peer";
    if (this.#all.tokens < cost) return "all";
    bucket.tokens -= cost;
    this.#all.tokens -= cost;
    return "granted";
  }

  /** Milliseconds until the peer's bucket holds `cost` units; 0 when it does. */
  waitMs(peer: string, cost: number): number {
    const missing = cost - this.#bucketOf(peer, this.#nowMs()).tokens;
    return Math.max(0, (missing / this.#perPeer.perSecond) * 1000);
  }

  #bucketOf(peer: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(peer) ?? { tokens: this.#perPeer.burst, atMs: nowMs };
    this.#buckets.delete(peer);
    this.#buckets.set(peer, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_BUCKETS) break;
      this.#buckets.delete(oldest);
    }
    refill(bucket, this.#perPeer, nowMs);
    return bucket;
  }
}

function refill(bucket: Bucket, quota: Quota, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(quota.burst, bucket.tokens + (elapsedMs / 1000) * quota.perSecond);
  bucket.atMs = nowMs;
}
