/** The node's network: libp2p, gossip, requests and peers put together. See specs/network/peers.md */
import { createHash } from "node:crypto";
import type { Connection } from "@libp2p/interface";
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id";
import { ATTESTATION_SUBNETS } from "../../consensus/subnets.ts";
import { OneConnectionGater } from "./connection-gater.ts";
import { Dialer } from "./dialer.ts";
import { Gossip, topicLimits } from "./gossip.ts";
import { createGossipCodec } from "./gossip-codec.ts";
import { gossipOptions } from "./gossip-config.ts";
import type { NetworkIdentity } from "./identity.ts";
import { Intake } from "./intake.ts";
import { createLibp2pNode } from "./libp2p-node.ts";
import type { Network, NetworkHandlers, NetworkLog, NetworkMetrics, PeerId } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";
import { Peers } from "./peers.ts";
import type { VerdictLimits } from "./pending-verdicts.ts";
import { ReqResp } from "./reqresp.ts";
import { RunningNetwork } from "./running-network.ts";

/** How often peers tell each other where they stand. */
const STATUS_INTERVAL_MS = 4000;

export interface NetworkOptions {
  readonly identity: NetworkIdentity;
  /** Four bytes that name chain and fork; peers of another never meet on a topic. */
  readonly forkDigest: Uint8Array;
  readonly handlers: NetworkHandlers;
  /** Multiaddrs. Default: loopback, any free port. */
  readonly listen?: readonly string[];
  /** Multiaddrs others are told, where they differ from `listen`. */
  readonly announce?: readonly string[];
  /** Multiaddrs to stay connected to, with or without a peer id. */
  readonly bootstrap?: readonly string[];
  /** Unix milliseconds. Default: the system clock. */
  readonly nowMs?: () => number;
  readonly log?: NetworkLog;
  readonly metrics?: NetworkMetrics;
  readonly limits?: {
    readonly verdicts?: VerdictLimits;
    /** Time for one request, in place of each protocol's own. */
    readonly requestTimeoutMs?: number;
    readonly statusIntervalMs?: number;
  };
}

/**
 * Listens, dials the bootstrap addresses and subscribes to the topics.
 * `node/polyfill.ts` must have been loaded before this file.
 * @throws NetworkError when an address cannot be read or listened on.
 */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const {
    identity,
    forkDigest,
    listen = [LOOPBACK],
    nowMs = Date.now,
    log = NO_LOG,
    handlers,
    limits,
  } = options;
  const ownPeer = peerIdFromPrivateKey(identity).toString();

  // The parts know each other through these; none is called before all are there.
  const connectionsTo = (peer: PeerId): Connection[] =>
    libp2p.getConnections(peerIdFromString(peer)).filter(({ status }) => status === "open");
  const connectionTo = (peer: PeerId): Connection | undefined => connectionsTo(peer)[0];
  const isConnected = (peer: PeerId): boolean => connectionsTo(peer).length > 0;
  const isBanned = (peer: PeerId): boolean => peers.scores.isBanned(peer);
  const penalize = (peer: PeerId, reason: PenaltyReason): void => peers.penalize(peer, reason);
  const { metrics = NO_METRICS } = options;
  const shared = { ownPeer, nowMs, log, handlers, connectionTo, isConnected, isBanned, penalize };

  const onDialled = (address: string, peer: PeerId): void => dialer.learn(address, peer);
  const intake = new Intake({
    ...{ ...shared, metrics },
    connections: () => libp2p.getConnections(),
    isInGoodStanding: (peer) => peers.isInGoodStanding(peer),
  });
  const gater = new OneConnectionGater({ ...shared, connectionsTo, onDialled, intake });
  const limitsByTopic = topicLimits(forkDigest);
  const codec = await createGossipCodec(limitsByTopic);
  const mesh = gossipOptions([...limitsByTopic.keys()], (peer) => peers.scores.score(peer));
  const libp2p = await createLibp2pNode({
    identity,
    listen,
    announce: options.announce ?? [],
    gater,
    gossip: { ...mesh, ...codec.options },
  });
  intake.attach(libp2p, libp2p.services.pubsub);
  const dialer = new Dialer({ ...shared, dial: (address, signal) => libp2p.dial(address, { signal }) });
  const gossip = new Gossip({
    ...shared,
    pubsub: libp2p.services.pubsub,
    codec,
    forkDigest,
    keptSubnets: keptSubnets(ownPeer),
    metrics,
    verdictLimits: limits?.verdicts,
  });
  const reqResp = new ReqResp({
    ...shared,
    libp2p,
    metrics,
    flood: intake.flood,
    timeoutMs: limits?.requestTimeoutMs,
    onStatus: (peer, status) => peers.onStatus(peer, status),
  });
  const peers = new Peers({
    ...shared,
    metrics,
    onOffence: (address) => intake.onOffence(address),
    requestStatus: (peer) => reqResp.status(peer),
    sayGoodbye: (peer, reason) => reqResp.goodbye(peer, reason),
  });
  const network = new RunningNetwork({ libp2p, gater, dialer, gossip, reqResp, peers });
  await network.start(listen, options.bootstrap ?? [], limits?.statusIntervalMs ?? STATUS_INTERVAL_MS);
  return network;
}

/** Ethereum's number of subnets a node keeps (phase0/p2p-interface.md, SUBNETS_PER_NODE). */
const KEPT_SUBNETS = 2;

/** Drawn by the peer id, so that they are spread evenly and stay the same over a restart. */
function keptSubnets(ownPeer: PeerId): readonly number[] {
  const [draw = 0] = createHash("sha256").update(ownPeer).digest();
  return Array.from({ length: KEPT_SUBNETS }, (_, i) => (draw + i) % ATTESTATION_SUBNETS);
}

const LOOPBACK = "/ip4/127.0.0.1/tcp/0";
const nothing = (): void => undefined;
const NO_LOG: NetworkLog = { debug: nothing, info: nothing, warn: nothing };
const NO_METRICS: NetworkMetrics = {
  gossipReceived: nothing,
  gossipSettled: nothing,
  gossipPublished: nothing,
  gossipRefused: nothing,
  peerPenalized: nothing,
  banned: nothing,
  requestServed: nothing,
};
