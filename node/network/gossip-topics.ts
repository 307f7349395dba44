/** The gossip topics of one fork and the most bytes a message of each may hold. See specs/network/gossip.md#topics */
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
  /** A batch of transactions (transaction-gossip.ts). */
  transactions: 1 << 20,
  voluntary_exit: 1 << 10,
  proposer_slashing: 1 << 10,
  /** Two lists of validator indices, eight bytes each, up to 131 072 entries a list. */
  attester_slashing: (2 << 20) + (4 << 10),
} as const;

export type GossipTopic = keyof typeof GOSSIP_LIMIT_BYTES;

export const GOSSIP_TOPICS = Object.keys(GOSSIP_LIMIT_BYTES) as readonly GossipTopic[];

/** Topic string on the wire. Nodes of another fork or chain never meet on it. */
export function topicName(topic: GossipTopic, forkDigest: Uint8Array): string {
  return `/jurat/${toHex(forkDigest).slice(2)}/${topic}/ssz_snappy`;
}
