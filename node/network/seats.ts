/** Who has streams of one protocol open, and whose answers are under way. See specs/network/floods.md#requests */
import type { FloodGuard } from "./flood-guard.ts";
import type { PeerId } from "./network-port.ts";
import { MAX_ANSWERS_AT_ONCE, MAX_ANSWERS_PER_PEER, MAX_INBOUND_STREAMS } from "./protocols.ts";

export class Seats {
  readonly #flood: Pick<FloodGuard, "admits">;
  readonly #streams = new Map<PeerId, number>();
  readonly #answers = new Map<PeerId, number>();
  #answering = 0;

  constructor(flood: Pick<FloodGuard, "admits">) {
    this.#flood = flood;
  }

  /** False when the peer has as many streams as it may: it is told by the end of this one. */
  sit(peer: PeerId): boolean {
    if ((this.#streams.get(peer) ?? 0) >= MAX_INBOUND_STREAMS) {
      this.#flood.admits(peer, "stalledStreams", 1);
      return false;
    }
    add(this.#streams, peer, 1);
    return true;
  }

  /** @param isStalled the peer neither asked nor read in time. */
  leave(peer: PeerId, isStalled: boolean): void {
    add(this.#streams, peer, -1);
    if (isStalled) this.#flood.admits(peer, "stalledStreams", 1);
  }

  /** False when too many answers wait for their readers; nobody is blamed. */
  beginAnswer(peer: PeerId): boolean {
    const own = this.#answers.get(peer) ?? 0;
    if (this.#answering >= MAX_ANSWERS_AT_ONCE || own >= MAX_ANSWERS_PER_PEER) return false;
    this.#answering++;
    add(this.#answers, peer, 1);
    return true;
  }

  endAnswer(peer: PeerId): void {
    this.#answering--;
    add(this.#answers, peer, -1);
  }
}

function add(counts: Map<PeerId, number>, peer: PeerId, change: number): void {
  const count = (counts.get(peer) ?? 0) + change;
  if (count === 0) counts.delete(peer);
  else counts.set(peer, count);
}
