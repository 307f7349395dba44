/** Which connections may exist: none with a banned peer, one with any other. See specs/network/peers.md#connections */
import { setTimeout } from "node:timers/promises";
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from "@libp2p/interface";

/** A second connection within this time of the first is a dial that crossed ours, later it is a restart. */
const CROSSING_MS = 5000;
/** A connection of ours that the peer refused is closed within this time. */
const REFUSAL_MS = 1000;
/** libp2p gives an accepted connection this long to become usable. */
const UPGRADE_MS = 10_000;

export interface GaterOptions {
  readonly ownPeer: string;
  readonly nowMs: () => number;
  readonly isBanned: (peer: string) => boolean;
  readonly connectionsTo: (peer: string) => readonly Connection[];
  /** What is asked before and told once it is known who connects. */
  readonly intake: {
    refuses(raw: MultiaddrConnection): boolean;
    identified(peer: string, raw: MultiaddrConnection): void;
  };
  /** Who answered at an address we dialled. */
  readonly onDialled: (address: string, peer: string) => void;
}

/**
 * Of two peers that dial each other at the same moment the one with the lower id decides: it keeps
 * whichever connection came first and refuses the other. The higher one takes the lower one's only once its
 * own was refused. So they end with one connection, and gossip, which lives on the first one, never loses it.
 */
export class OneConnectionGater implements ConnectionGater {
  readonly #options: GaterOptions;
  /** Peers we are dialling, encrypted but not yet usable, by when to forget them. */
  readonly #dialling = new Map<string, number>();
  /** The same for those that dial us. */
  readonly #accepting = new Map<string, number>();

  constructor(options: GaterOptions) {
    this.#options = options;
  }

  denyDialPeer = (peer: PeerId): boolean => this.#options.isBanned(peer.toString());

  denyInboundConnection = (raw: MultiaddrConnection): boolean => this.#options.intake.refuses(raw);

  denyOutboundEncryptedConnection = (peerId: PeerId, raw: MultiaddrConnection): boolean => {
    const peer = peerId.toString();
    const { ownPeer, isBanned, connectionsTo, onDialled, intake } = this.#options;
    onDialled(raw.remoteAddr.toString(), peer);
    intake.identified(peer, raw);
    if (peer === ownPeer || isBanned(peer) || connectionsTo(peer).length > 0) return true;
    if (ownPeer < peer && this.#isPending(this.#accepting, peer)) return true;
    this.#note(this.#dialling, peer);
    return false;
  };

  denyInboundEncryptedConnection = async (peerId: PeerId, raw: MultiaddrConnection): Promise<boolean> => {
    const peer = peerId.toString();
    const { ownPeer, nowMs, isBanned, connectionsTo, intake } = this.#options;
    intake.identified(peer, raw);
    if (isBanned(peer)) return true;
    const [existing] = connectionsTo(peer);
    if (existing !== undefined && nowMs() - existing.timeline.open >= CROSSING_MS) {
      // It would not dial if it still had this one: it restarted, and we have not noticed yet.
      existing.abort(new Error("replaced"));
    } else if (ownPeer < peer) {
      if (existing !== undefined || this.#isPending(this.#dialling, peer)) return true;
    } else if (existing !== undefined && !(await this.#isRefused(existing))) return true;
    this.#note(this.#accepting, peer);
    return false;
  };

  /** Whether the lower id closes our connection because it prefers its own. */
  async #isRefused(connection: Connection): Promise<boolean> {
    const closed = new Promise<boolean>((resolve) =>
      connection.addEventListener("close", () => resolve(true)),
    );
    return Promise.race([closed, setTimeout(REFUSAL_MS, false)]);
  }

  /** The connection is usable, or gone. */
  settled(peer: string): void {
    this.#dialling.delete(peer);
    this.#accepting.delete(peer);
  }

  #isPending(pending: ReadonlyMap<string, number>, peer: string): boolean {
    return (pending.get(peer) ?? 0) > this.#options.nowMs();
  }

  #note(pending: Map<string, number>, peer: string): void {
    const now = this.#options.nowMs();
    for (const [other, untilMs] of pending) if (untilMs <= now) pending.delete(other);
    pending.set(peer, now + UPGRADE_MS);
  }
}
