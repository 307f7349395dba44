/** Every kind of flood with everything it can be aimed at, made from the protocol tables. See specs/campaigns/floods/floods.md */
import { type GossipTopic, SHARED_TOPICS, SUBNET_TOPICS } from "../../../node/network/gossip-topics.ts";
import { PROTOCOL_NAMES, type ProtocolName } from "../../../node/network/protocols.ts";
import { LIBP2P_STREAM_BYTES } from "../../../node/network/stream-guard.ts";

export type Libp2pProtocol = keyof typeof LIBP2P_STREAM_BYTES;

export type Flood =
  | { readonly group: "gossip"; readonly kind: GossipKind; readonly target: GossipTopic }
  | { readonly group: "request"; readonly kind: RequestKind; readonly target: ProtocolName }
  | { readonly group: "stream"; readonly kind: StreamKind; readonly target: Libp2pProtocol }
  | { readonly group: "connection"; readonly kind: ConnectionKind; readonly target: "any" };

/** What is wrong with a gossip message that comes without end. */
export const GOSSIP_KINDS = [
  "oversized",
  "undecodable",
  "duplicate",
  "bad-signature",
  "subscriptions",
] as const;
export type GossipKind = (typeof GOSSIP_KINDS)[number];

/** What is wrong with a request. */
export const REQUEST_KINDS = ["long-frame", "malformed", "half-open", "slow-reader", "too-many"] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** What is wrong with a stream of libp2p's own. */
export const STREAM_KINDS = ["endless", "churn"] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

/** What is wrong with a connection. */
export const CONNECTION_KINDS = [
  "idle-sockets",
  "noise-sockets",
  "many-identities",
  "nameless-streams",
  "control-frames",
  "broken-frames",
] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

/** A node listens to two subnets of its own choice, so a flood on one goes to all of them. */
export const FLOODED_TOPICS: readonly GossipTopic[] = [...SHARED_TOPICS, ...SUBNET_TOPICS.slice(0, 1)];

const LIBP2P_PROTOCOLS = Object.keys(LIBP2P_STREAM_BYTES) as readonly Libp2pProtocol[];

/** All of them. A topic or protocol that is added to the tables is flooded from then on. */
export function allFloods(): readonly Flood[] {
  return [
    ...each(GOSSIP_KINDS, FLOODED_TOPICS, (kind, target) => ({ group: "gossip", kind, target })),
    ...each(REQUEST_KINDS, PROTOCOL_NAMES, (kind, target) => ({ group: "request", kind, target })),
    ...each(STREAM_KINDS, LIBP2P_PROTOCOLS, (kind, target) => ({ group: "stream", kind, target })),
    ...each(CONNECTION_KINDS, ["any"] as const, (kind, target) => ({ group: "connection", kind, target })),
  ];
}

function each<Kind, Target>(
  kinds: readonly Kind[],
  targets: readonly Target[],
  make: (kind: Kind, target: Target) => Flood,
): readonly Flood[] {
  return kinds.flatMap((kind) => targets.map((target) => make(kind, target)));
}
