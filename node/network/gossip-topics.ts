/** The gossip topics of one fork and the most bytes a message of each may hold. See specs/network/gossip.md#topics */
import { ATTESTATION_SUBNETS } from "../../consensus/subnets.ts";
import { toHex } from "../../primitives/bytes.ts";

/**
 * Uncompressed limits in bytes. A sender's libp2p refuses more than 4 MiB, and incompressible bytes grow
 * by a sixth under snappy, hence 3 MiB for the largest.
 */
export const GOSSIP_LIMIT_BYTES = {
  /** 2 MB of transactions, and the attestations, slashings and deposits beside them. */
  beacon_block: 3 << 20,
  /** The votes of one node's keys in one slot: at most 2048 of 240 bytes. */
  beacon_attestation: 512 << 10,
  /** An aggregate of one committee: at most 16 KiB of bits, and 500 bytes. */
  beacon_aggregate_and_proof: 32 << 10,
  /** A batch of transactions (transaction-gossip.ts). */
  transactions: 1 << 20,
  voluntary_exit: 1 << 10,
  proposer_slashing: 1 << 10,
  /** Two lists of validator indices, eight bytes each, up to 131 072 entries a list. */
  attester_slashing: (2 << 20) + (4 << 10),
} as const;

/** Votes of one committee, where slots have several. As large as the other: one node's keys may be a committee. */
export type SubnetTopic = `beacon_attestation_${number}`;

export type GossipTopic = keyof typeof GOSSIP_LIMIT_BYTES | SubnetTopic;

/** Topics every node listens to. */
export const SHARED_TOPICS = Object.keys(GOSSIP_LIMIT_BYTES) as readonly GossipTopic[];

/** Topics a node listens to when it has a duty there, or keeps them for others' sake. */
export const SUBNET_TOPICS: readonly SubnetTopic[] = Array.from(
  { length: ATTESTATION_SUBNETS },
  (_, subnet) => `beacon_attestation_${subnet}` as const,
);

export const GOSSIP_TOPICS: readonly GossipTopic[] = [...SHARED_TOPICS, ...SUBNET_TOPICS];

export function limitBytesOf(topic: GossipTopic): number {
  return subnetOfTopic(topic) === undefined
    ? GOSSIP_LIMIT_BYTES[topic as keyof typeof GOSSIP_LIMIT_BYTES]
    : GOSSIP_LIMIT_BYTES.beacon_attestation;
}

/** The subnet a topic is; undefined for the topics everyone listens to. */
export function subnetOfTopic(topic: GossipTopic): number | undefined {
  const index = SUBNET_TOPICS.indexOf(topic as SubnetTopic);
  return index < 0 ? undefined : index;
}

/** Topic string on the wire. Nodes of another fork or chain never meet on it. */
export function topicName(topic: GossipTopic, forkDigest: Uint8Array): string {
  return `/jurat/${toHex(forkDigest).slice(2)}/${topic}/ssz_snappy`;
}
