/** Who we are connected to and where they stand: handshake, status, clocks, bans. See specs/network/peers.md */
import type { Connection } from "@libp2p/interface";
import { equalBytes, toHex } from "../../primitives/bytes.ts";
import type { GoodbyeReason, Status } from "./messages.ts";
import type { NetworkHandlers, NetworkLog, NetworkMetrics, PeerId, PeerSummary } from "./network-port.ts";
import { PeerScores, type PenaltyReason, SOFT_FLOOR } from "./peer-score.ts";
import { RequestError, type RequestErrorDetail } from "./request-errors.ts";

interface Peer {
  status: Status | undefined;
  clockOffsetMs: number | undefined;
}

export interface PeersOptions {
  readonly nowMs: () => number;
  readonly log: NetworkLog;
  readonly metrics: NetworkMetrics;
  readonly handlers: NetworkHandlers;
  readonly connectionTo: (peer: PeerId) => Connection | undefined;
  /** Asks for the peer's status and tells ours. @throws RequestError */
  readonly requestStatus: (peer: PeerId) => Promise<Status>;
  /** A peer from this address was sent away for what it did or did not do. */
  readonly onOffence: (address: string) => void;
  /** Best effort. */
  readonly sayGoodbye: (peer: PeerId, reason: GoodbyeReason) => Promise<void>;
}

export class Peers {
  readonly scores: PeerScores;
  readonly #options: PeersOptions;
  /** Connected peers. */
  readonly #peers = new Map<PeerId, Peer>();
  readonly #leaving = new Set<PeerId>();

  constructor(options: PeersOptions) {
    this.#options = options;
    this.scores = new PeerScores(options.nowMs, (peer) => this.#othersDoWell(peer));
  }

  onConnected(peer: PeerId): void {
    const record: Peer = { status: undefined, clockOffsetMs: undefined };
    this.#peers.set(peer, record);
    this.#options.log.debug("peer connected", { peer });
    void this.refresh(peer).catch(() => this.#dismissUnlessKnown(peer, record));
  }

  onDisconnected(peer: PeerId): void {
    const known = this.#peers.get(peer);
    this.#peers.delete(peer);
    this.#leaving.delete(peer);
    this.#options.log.debug("peer disconnected", { peer });
    if (known?.status !== undefined) this.#options.handlers.onPeerDisconnected(peer);
  }

  /** Exchanges statuses. The peer is penalised when it fails to answer. @throws RequestError */
  async refresh(peer: PeerId): Promise<Status> {
    const { nowMs, requestStatus } = this.#options;
    const sentMs = nowMs();
    try {
      const status = await requestStatus(peer);
      const record = this.#peers.get(peer);
      // The peer read its clock about half-way between our question and its answer.
      if (record !== undefined) record.clockOffsetMs = status.clockMs - (sentMs + nowMs()) / 2;
      this.onStatus(peer, status);
      return status;
    } catch (error) {
      if (error instanceof RequestError) this.#blame(peer, error.detail.code);
      throw error;
    }
  }

  /** Statuses of all peers again. */
  refreshAll(): void {
    for (const [peer, record] of this.#peers) {
      void this.refresh(peer).catch(() => this.#dismissUnlessKnown(peer, record));
    }
  }

  /** A status came in, as an answer or as a question. */
  onStatus(peer: PeerId, status: Status): void {
    const record = this.#peers.get(peer);
    if (record === undefined || this.#leaving.has(peer)) return;
    const own = this.#options.handlers.localStatus();
    if (
      !equalBytes(status.forkDigest, own.forkDigest) ||
      !equalBytes(status.genesisBlockRoot, own.genesisBlockRoot)
    ) {
      this.#options.log.info("peer of another chain", { peer, genesis: toHex(status.genesisBlockRoot) });
      this.penalize(peer, "otherChain");
      return;
    }
    record.status = status;
    this.#options.handlers.onPeerStatus(peer, status);
  }

  penalize(peer: PeerId, reason: PenaltyReason): void {
    this.#options.metrics.peerPenalized(reason);
    const isBannedNow = this.scores.penalize(peer, reason);
    this.#options.log.debug("peer penalised", { peer, reason, score: this.scores.score(peer) });
    if (!isBannedNow) return;
    this.#options.metrics.banned("peer");
    this.#options.log.info("peer banned", { peer, reason });
    void this.dismiss(peer, reason === "otherChain" ? "otherChain" : "banned");
  }

  /** Goodbye, and the connection closed. Never rejects. */
  async dismiss(peer: PeerId, reason: GoodbyeReason): Promise<void> {
    if (this.#leaving.has(peer)) return;
    this.#leaving.add(peer);
    const connection = this.#options.connectionTo(peer);
    if (reason !== "shutdown" && connection?.direction === "inbound") {
      this.#options.onOffence(connection.remoteAddr.toString());
    }
    await this.#options.sayGoodbye(peer, reason).catch(() => undefined);
    connection?.abort(new Error(`dismissed: ${reason}`));
  }

  list(): PeerSummary[] {
    const summaries: PeerSummary[] = [];
    for (const [id, { status, clockOffsetMs }] of this.#peers) {
      const connection = this.#options.connectionTo(id);
      if (connection === undefined || status === undefined) continue;
      const address = connection.remoteAddr.toString();
      const score = this.scores.score(id);
      summaries.push({ id, address, direction: connection.direction, score, status, clockOffsetMs });
    }
    return summaries;
  }

  /** Whose status is known, and who did little wrong. */
  isInGoodStanding(peer: PeerId): boolean {
    return this.#peers.get(peer)?.status !== undefined && this.scores.score(peer) >= SOFT_FLOOR;
  }

  ids(): PeerId[] {
    return [...this.#peers.keys()];
  }

  clockOffsetMs(): number | undefined {
    const offsets = [...this.#peers.values()].flatMap(({ clockOffsetMs: offset }) => offset ?? []);
    offsets.sort((a, b) => a - b);
    return offsets[offsets.length >> 1];
  }

  /** Whether at least half of the others, and at least one, tell where they stand and lately did little wrong. */
  #othersDoWell(peer: PeerId): boolean {
    const others = this.ids().filter((other) => other !== peer);
    const good = others.filter(
      (other) => this.#peers.get(other)?.status !== undefined && this.scores.score(other) > SOFT_FLOOR / 2,
    );
    return good.length > 0 && 2 * good.length >= others.length;
  }

  #blame(peer: PeerId, code: RequestErrorDetail["code"]): void {
    if (code === "REQUEST_TIMED_OUT") this.penalize(peer, "timeout");
    if (code === "REQUEST_MALFORMED_ANSWER") this.penalize(peer, "malformed");
  }

  /** A peer that cannot even tell its status is of no use. One we know may be slow for a moment. */
  #dismissUnlessKnown(peer: PeerId, record: Peer): void {
    if (this.#peers.get(peer) === record && record.status === undefined) void this.dismiss(peer, "fault");
  }
}
