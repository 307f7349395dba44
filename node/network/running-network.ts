/** A network at work, from its start to its close. See specs/network/peers.md */
import { assert } from "../../primitives/errors.ts";
import type { OneConnectionGater } from "./connection-gater.ts";
import type { Dialer } from "./dialer.ts";
import type { Gossip } from "./gossip.ts";
import type { GossipTopic } from "./gossip-topics.ts";
import { type JuratLibp2p, startLibp2pNode, stopLibp2pNode } from "./libp2p-node.ts";
import { type BlocksByRange, MAX_REQUEST_BLOCKS, MAX_REQUEST_TRANSACTIONS, type Status } from "./messages.ts";
import type { Network, PeerId, PeerSummary, Verdict } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";
import type { Peers } from "./peers.ts";
import type { ReqResp } from "./reqresp.ts";
import { RequestError } from "./request-errors.ts";

/** How often gossip messages are checked for having waited too long. */
const EXPIRY_INTERVAL_MS = 1000;

export interface NetworkParts {
  readonly libp2p: JuratLibp2p;
  readonly gater: OneConnectionGater;
  readonly dialer: Dialer;
  readonly gossip: Gossip;
  readonly reqResp: ReqResp;
  readonly peers: Peers;
}

export class RunningNetwork implements Network {
  readonly peerId: PeerId;
  readonly #parts: NetworkParts;
  readonly #timers: NodeJS.Timeout[] = [];
  #closed: Promise<void> | undefined;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.peerId = parts.libp2p.peerId.toString();
  }

  /** @throws NetworkError; nothing is left open then. */
  async start(
    listen: readonly string[],
    bootstrap: readonly string[],
    statusIntervalMs: number,
  ): Promise<void> {
    const { libp2p, gater, dialer, gossip, reqResp, peers } = this.#parts;
    for (const address of bootstrap) dialer.add(address);
    libp2p.addEventListener("connection:open", ({ detail }) => gater.settled(detail.remotePeer.toString()));
    libp2p.addEventListener("peer:connect", ({ detail }) => peers.onConnected(detail.toString()));
    libp2p.addEventListener("peer:disconnect", ({ detail }) => {
      const peer = detail.toString();
      gater.settled(peer);
      dialer.onDisconnected(peer);
      peers.onDisconnected(peer);
    });
    await reqResp.start();
    await startLibp2pNode(libp2p, listen);
    gossip.start();
    dialer.start();
    this.#timers.push(
      setInterval(() => peers.refreshAll(), statusIntervalMs),
      setInterval(() => gossip.expire(), EXPIRY_INTERVAL_MS),
    );
  }

  addresses(): string[] {
    return this.#parts.libp2p.getMultiaddrs().map(String);
  }

  peers(): PeerSummary[] {
    return this.#parts.peers.list();
  }

  clockOffsetMs(): number | undefined {
    return this.#parts.peers.clockOffsetMs();
  }

  publish(topic: GossipTopic, data: Uint8Array): Promise<number> {
    return this.#parts.gossip.publish(topic, data);
  }

  waitingVerdicts(): number {
    return this.#parts.gossip.waiting();
  }

  setSubnets(subnets: readonly number[]): void {
    this.#parts.gossip.setSubnets(subnets);
  }

  meshPeers(topic: GossipTopic): number {
    return this.#parts.gossip.meshPeers(topic);
  }

  subscribers(topic: GossipTopic): number {
    return this.#parts.gossip.subscribers(topic);
  }

  reportVerdict(messageId: string, verdict: Verdict): boolean {
    return this.#parts.gossip.report(messageId, verdict);
  }

  requestBlocksByRange(peer: PeerId, request: BlocksByRange): Promise<Uint8Array[]> {
    assert(request.count > 0 && request.count <= MAX_REQUEST_BLOCKS, "a range request is within its limit");
    return this.#asking(peer, this.#parts.reqResp.blocksByRange(peer, request));
  }

  requestBlocksByRoot(peer: PeerId, roots: readonly Uint8Array[]): Promise<Uint8Array[]> {
    assert(roots.length > 0 && roots.length <= MAX_REQUEST_BLOCKS, "a root request is within its limit");
    return this.#asking(peer, this.#parts.reqResp.blocksByRoot(peer, roots));
  }

  requestTransactions(peer: PeerId, hashes: readonly Uint8Array[]): Promise<Uint8Array[]> {
    assert(
      hashes.length > 0 && hashes.length <= MAX_REQUEST_TRANSACTIONS,
      "a hash request is within its limit",
    );
    return this.#asking(peer, this.#parts.reqResp.transactionsByHash(peer, hashes));
  }

  refreshStatus(peer: PeerId): Promise<Status> {
    return this.#parts.peers.refresh(peer);
  }

  penalize(peer: PeerId, reason: PenaltyReason): void {
    this.#parts.peers.penalize(peer, reason);
  }

  addPeerAddress(address: string): boolean {
    return this.#parts.dialer.add(address);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { libp2p, dialer, gossip, reqResp, peers } = this.#parts;
    for (const timer of this.#timers) clearInterval(timer);
    dialer.stop();
    gossip.stop();
    await Promise.all(peers.ids().map((peer) => peers.dismiss(peer, "shutdown")));
    reqResp.stop();
    await stopLibp2pNode(libp2p);
  }

  /** A peer that talks nonsense is penalised here; what lateness means, who asked must judge. */
  async #asking<T>(peer: PeerId, request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      if (error instanceof RequestError && error.detail.code === "REQUEST_MALFORMED_ANSWER") {
        this.#parts.peers.penalize(peer, "malformed");
      }
      throw error;
    }
  }
}
