/** The border of the network: what the node may ask of it, and what it asks of the node. */
import type { GossipTopic } from "./gossip-topics.ts";
import type { BlocksByRange, Status } from "./messages.ts";
import type { PenaltyReason } from "./peer-score.ts";
import type { ProtocolName } from "./protocols.ts";

/** A libp2p peer id in its text form. */
export type PeerId = string;

/** Forward, drop, or drop and blame the sender. */
export type Verdict = "accept" | "ignore" | "reject";

export interface GossipMessage {
  readonly topic: GossipTopic;
  readonly peer: PeerId;
  /** Names this message in `reportVerdict`. */
  readonly messageId: string;
  /** Uncompressed SSZ, at most limitBytesOf its topic. */
  readonly data: Uint8Array;
  /** When its last byte arrived, by the clock the network was given, in Unix milliseconds. */
  readonly arrivalMs: number;
}

/** Encoded SignedBeaconBlocks of the canonical chain. */
export interface BlockSource {
  /** Up to `count` blocks at or after the slot, ascending; read lazily, so that a byte limit can stop it. */
  blocksByRange(startSlot: number, count: number): Iterable<Uint8Array>;
  /** Any block this node holds, also off the canonical chain. */
  blockByRoot(root: Uint8Array): Uint8Array | undefined;
}

/** Encoded transactions of the pool, for a peer that saw only their hashes. */
export interface TransactionSource {
  /** One entry per hash. */
  transactionsByHash(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

export interface NetworkHandlers {
  /** Called once for each new message. Every message wants a verdict, soon; none counts as "ignore". */
  onGossip(message: GossipMessage): void;
  /** Everything of our status but the clock. */
  localStatus(): Omit<Status, "clockMs">;
  /** A peer of our chain told where it stands: once at the start, then every few seconds. */
  onPeerStatus(peer: PeerId, status: Status): void;
  /** The last connection to a peer whose status we had is gone. */
  onPeerDisconnected(peer: PeerId): void;
  readonly blocks: BlockSource;
  readonly transactions: TransactionSource;
}

/** The part of the node's log the network writes to. */
export interface NetworkLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** How a request from a peer ended. */
export type ServeOutcome = "answered" | "refused" | "malformed" | "failed";

/** What the network counts, for whoever exports it. */
export interface NetworkMetrics {
  gossipReceived(topic: GossipTopic, bytes: number): void;
  gossipSettled(topic: GossipTopic, verdict: Verdict): void;
  gossipPublished(topic: GossipTopic, bytes: number): void;
  /** A message that was refused before anyone looked at it. */
  gossipRefused(topic: GossipTopic, reason: "MALFORMED" | "NO_ROOM"): void;
  peerPenalized(reason: PenaltyReason): void;
  /** A peer, or an address with all its peers, is sent away and refused for a while. */
  banned(who: "peer" | "address"): void;
  requestServed(protocol: ProtocolName, outcome: ServeOutcome): void;
}

export interface PeerSummary {
  readonly id: PeerId;
  readonly address: string;
  readonly direction: "inbound" | "outbound";
  /** Zero for a peer without fault, negative with penalties; decays toward zero. */
  readonly score: number;
  /** As last told. */
  readonly status: Status;
  /** How far the peer's clock is ahead of ours, from the exchange of statuses. */
  readonly clockOffsetMs: number | undefined;
}

/** Asks one peer. Every call ends: with the answer, or with a RequestError. */
export interface BlockRequester {
  /** Encoded blocks in the order sent. An empty answer means "unavailable", never "that is all". */
  requestBlocksByRange(peer: PeerId, request: BlocksByRange): Promise<Uint8Array[]>;
  requestBlocksByRoot(peer: PeerId, roots: readonly Uint8Array[]): Promise<Uint8Array[]>;
}

export interface Network extends BlockRequester {
  readonly peerId: PeerId;
  /** Listen addresses as multiaddrs that end in our peer id. */
  addresses(): string[];
  /** Peers whose handshake is done. */
  peers(): PeerSummary[];
  /** Median over peers of how far their clocks are ahead of ours; undefined without peers. */
  clockOffsetMs(): number | undefined;

  /**
   * Sends SSZ bytes to the topic's mesh; resolves to how many peers they were handed to. Bytes that were
   * already published or seen are not sent again, and nobody listening is not an error: both give 0.
   * @throws NetworkError NETWORK_MESSAGE_TOO_LARGE
   */
  publish(topic: GossipTopic, data: Uint8Array): Promise<number>;
  /** Listens to these vote subnets, besides the two a node keeps by its peer id; no longer to those set before. */
  setSubnets(subnets: readonly number[]): void;
  /** Peers in our mesh of a topic: those we pass its messages on to. */
  meshPeers(topic: GossipTopic): number;
  /** Gossip messages that wait for their verdict. */
  waitingVerdicts(): number;
  /** Peers known to listen to a topic: who gets what we publish on it. */
  subscribers(topic: GossipTopic): number;
  /** Settles a gossip message. False when its time was over or it was settled before. */
  reportVerdict(messageId: string, verdict: Verdict): boolean;

  requestTransactions(peer: PeerId, hashes: readonly Uint8Array[]): Promise<Uint8Array[]>;
  /** Exchanges statuses with a peer now. */
  refreshStatus(peer: PeerId): Promise<Status>;
  /** Lowers a peer's score; at the bottom it is sent away and stays away for a while. */
  penalize(peer: PeerId, reason: PenaltyReason): void;
  /**
   * Keeps a connection to this address from now on, as if it were a bootstrap address. False when it does not: for our
   * own address, or one too many.
   * @throws NetworkError NETWORK_BAD_ADDRESS
   */
  addPeerAddress(address: string): boolean;
  /** Says goodbye, closes everything; never rejects, and ends within a few seconds. */
  close(): Promise<void>;
}
