/** How much of anything one peer may send. What comes beyond is dropped, and costs the peer its score. See specs/network/floods.md#quotas */
import type { PeerId } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";
import { type Quota, RateLimiter } from "./rate-limit.ts";

/**
 * Many times what an honest peer sends, also one that catches up after our own process slept: a peer at its quota
 * costs a fraction of a core.
 */
export const FLOOD_QUOTAS = {
  /** Messages, subscriptions and control entries in gossip frames, and the frames themselves. */
  gossipItems: { burst: 8192, perSecond: 2048 },
  gossipBytes: { burst: 64 << 20, perSecond: 16 << 20 },
  /** Streams opened, whatever for. */
  streams: { burst: 1024, perSecond: 256 },
  /** Streams opened and left without a request or a reader. A peer that sleeps leaves a few. */
  stalledStreams: { burst: 16, perSecond: 0.1 },
  /** Bytes on the wire, answers to our own requests among them. */
  wireBytes: { burst: 256 << 20, perSecond: 64 << 20 },
} as const satisfies Record<string, Quota>;

export type FloodKind = keyof typeof FLOOD_QUOTAS;

export const FLOOD_KINDS = Object.keys(FLOOD_QUOTAS) as readonly FloodKind[];

export interface FloodGuardOptions {
  readonly nowMs: () => number;
  readonly isBanned: (peer: PeerId) => boolean;
  readonly penalize: (peer: PeerId, reason: PenaltyReason) => void;
}

export class FloodGuard {
  readonly #options: FloodGuardOptions;
  readonly #limiters: Readonly<Record<FloodKind, RateLimiter>>;

  constructor(options: FloodGuardOptions) {
    this.#options = options;
    const unlimited = { burst: Number.POSITIVE_INFINITY, perSecond: 0 };
    const limiterOf = (kind: FloodKind) => new RateLimiter(FLOOD_QUOTAS[kind], unlimited, options.nowMs);
    this.#limiters = {
      gossipItems: limiterOf("gossipItems"),
      gossipBytes: limiterOf("gossipBytes"),
      streams: limiterOf("streams"),
      stalledStreams: limiterOf("stalledStreams"),
      wireBytes: limiterOf("wireBytes"),
    };
  }

  /** Whether what came may be looked at. A peer beyond its quota is penalised, one that is banned is not heard. */
  admits(peer: PeerId, kind: FloodKind, amount: number): boolean {
    if (this.#options.isBanned(peer)) return false;
    if (this.#limiters[kind].take(peer, amount) === "granted") return true;
    this.#options.penalize(peer, "flood");
    return false;
  }
}
