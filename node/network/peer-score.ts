/** Scores of peers: penalties add up, time forgives, the bottom is a ban. See specs/network/peers.md#score */

/** What a peer can do wrong and what it costs. Five rejected messages or two lies in quick succession are a ban. */
export const PENALTY = {
  /** A gossip message our validation rejected. */
  gossipRejected: 20,
  /** Bytes that do not decode, or exceed a limit every node knows. */
  malformed: 20,
  /** A block that is invalid, or a range whose blocks do not follow each other. */
  lie: 50,
  /** Nothing where the peer's own status said there is something. */
  unavailable: 5,
  timeout: 5,
  /** More requests than the limits allow. */
  tooManyRequests: 5,
  /** More of anything than one peer may send (flood-guard.ts). */
  flood: 20,
  /** Another chain: no use trying again soon. */
  otherChain: 100,
} as const;

export type PenaltyReason = keyof typeof PENALTY;

/** What an honest peer can do too, when it or the road to it is slow. */
const SOFT: ReadonlySet<PenaltyReason> = new Set(["unavailable", "timeout"]);
/** Soft faults take nobody below this: alone they never ban, or a node in trouble would ban everyone. */
export const SOFT_FLOOR = -30;
/** At this score a peer is banned: a little above five rejected messages, since seconds forgive a little. */
export const BAN_SCORE = -90;
/** Half of a penalty is forgiven in this time. */
export const SCORE_HALF_LIFE_MS = 5 * 60_000;
/** How long a banned peer is refused; then it starts with a clean slate. */
export const BAN_MS = 5 * 60_000;
/** Peers remembered at once; the one longest without fault is forgotten first. */
export const MAX_SCORED_PEERS = 1024;

interface Entry {
  score: number;
  atMs: number;
  bannedUntilMs: number;
}

export class PeerScores {
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** True when this penalty brought the peer to the ban. */
  penalize(peer: string, reason: PenaltyReason): boolean {
    const now = this.#nowMs();
    const entry = this.#entries.get(peer) ?? { score: 0, atMs: now, bannedUntilMs: 0 };
    // Who is gone can do no wrong: what is still found out does not make the ban longer.
    if (entry.bannedUntilMs > now) return false;
    const before = decayed(entry, now);
    const after = before - PENALTY[reason];
    entry.score = SOFT.has(reason) ? Math.min(before, Math.max(after, SOFT_FLOOR)) : after;
    entry.atMs = now;
    const isBannedNow = entry.score <= BAN_SCORE;
    if (isBannedNow) entry.bannedUntilMs = now + BAN_MS;
    // Moved to the end: the map's order is the order of the last fault.
    this.#entries.delete(peer);
    this.#entries.set(peer, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_SCORED_PEERS) break;
      this.#entries.delete(oldest);
    }
    return isBannedNow;
  }

  score(peer: string): number {
    const entry = this.#entries.get(peer);
    return entry === undefined ? 0 : decayed(entry, this.#nowMs());
  }

  isBanned(peer: string): boolean {
    const entry = this.#entries.get(peer);
    if (entry === undefined || entry.bannedUntilMs === 0) return false;
    if (entry.bannedUntilMs > this.#nowMs()) return true;
    this.#entries.delete(peer);
    return false;
  }
}

function decayed(entry: Entry, nowMs: number): number {
  return entry.score * 0.5 ** ((nowMs - entry.atMs) / SCORE_HALF_LIFE_MS);
}
