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
/** Soft faults take nobody's score below this; what they add up to is counted by itself. */
export const SOFT_FLOOR = -30;
/**
 * Soft faults, forgiven like scores are, that make a peer useless: to keep as many it must fail every 30 s without end, or
 * as often in a row. It is thrown out while others do well, or a node that is itself in trouble would ban everyone.
 */
export const USELESS_FAULTS = 15;
/** How long a useless peer is refused. Shorter than a ban for what is wrong: it may be honest and its road bad. */
export const USELESS_BAN_MS = 60_000;
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
  softFaults: number;
  atMs: number;
  bannedUntilMs: number;
}

export class PeerScores {
  readonly #nowMs: () => number;
  readonly #othersDoWell: (peer: string) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param othersDoWell whether the fault is the peer's own, since others serve. */
  constructor(nowMs: () => number, othersDoWell: (peer: string) => boolean) {
    this.#nowMs = nowMs;
    this.#othersDoWell = othersDoWell;
  }

  /** True when this penalty brought the peer to the ban. */
  penalize(peer: string, reason: PenaltyReason): boolean {
    const now = this.#nowMs();
    const entry = this.#entries.get(peer) ?? { score: 0, softFaults: 0, atMs: now, bannedUntilMs: 0 };
    // Who is gone can do no wrong: what is still found out does not make the ban longer.
    if (entry.bannedUntilMs > now) return false;
    const isSoft = SOFT.has(reason);
    const before = forgiven(entry.score, entry, now);
    const after = before - PENALTY[reason];
    entry.score = isSoft ? Math.min(before, Math.max(after, SOFT_FLOOR)) : after;
    entry.softFaults = forgiven(entry.softFaults, entry, now) + (isSoft ? 1 : 0);
    entry.atMs = now;
    const isBad = entry.score <= BAN_SCORE;
    const isUseless = isSoft && entry.softFaults >= USELESS_FAULTS && this.#othersDoWell(peer);
    const isBannedNow = isBad || isUseless;
    if (isBannedNow) entry.bannedUntilMs = now + (isBad ? BAN_MS : USELESS_BAN_MS);
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
    return entry === undefined ? 0 : forgiven(entry.score, entry, this.#nowMs());
  }

  isBanned(peer: string): boolean {
    const entry = this.#entries.get(peer);
    if (entry === undefined || entry.bannedUntilMs === 0) return false;
    if (entry.bannedUntilMs > this.#nowMs()) return true;
    this.#entries.delete(peer);
    return false;
  }
}

function forgiven(amount: number, { atMs }: Entry, nowMs: number): number {
  return amount * 0.5 ** ((nowMs - atMs) / SCORE_HALF_LIFE_MS);
}
