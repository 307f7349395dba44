/** The request protocols: names, sizes, prices and time. See specs/network/requests.md#limits */
import { GOSSIP_LIMIT_BYTES } from "./gossip-topics.ts";
import { MAX_REQUEST_BLOCKS, MAX_REQUEST_TRANSACTIONS, MAX_RESPONSE_BYTES, Status } from "./messages.ts";
import type { Quota } from "./rate-limit.ts";

export interface Protocol {
  readonly maxRequestBytes: number;
  readonly maxChunkBytes: number;
  readonly maxChunks: number;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** What a peer may spend; a request costs one unit, or one for each thing it asks for. */
  readonly quota: Quota;
}

/** All peers together may spend this many times what one may. */
export const TOTAL_QUOTA_FACTOR = 4;
/** Streams of one protocol a peer may have open with us at once. */
export const MAX_INBOUND_STREAMS = 8;
/** Answers of one protocol under way at once, to all peers: each may hold a block of 3 MiB for a reader that is slow. */
export const MAX_ANSWERS_AT_ONCE = 32;
/** Of these to one peer: more than an honest one waits for, and few enough that eight slow readers take all. */
export const MAX_ANSWERS_PER_PEER = 4;

const BLOCK_PROTOCOL = {
  maxChunkBytes: GOSSIP_LIMIT_BYTES.beacon_block,
  maxChunks: MAX_REQUEST_BLOCKS,
  timeoutMs: 10_000,
  quota: { burst: 1024, perSecond: 512 },
};

export const PROTOCOLS = {
  status: {
    maxRequestBytes: Status.fixedSize ?? 0,
    maxChunkBytes: Status.fixedSize ?? 0,
    maxChunks: 1,
    timeoutMs: 5000,
    quota: { burst: 16, perSecond: 2 },
  },
  goodbye: {
    maxRequestBytes: 8,
    maxChunkBytes: 0,
    maxChunks: 0,
    timeoutMs: 1000,
    quota: { burst: 2, perSecond: 0.1 },
  },
  blocks_by_range: { ...BLOCK_PROTOCOL, maxRequestBytes: 16 },
  blocks_by_root: { ...BLOCK_PROTOCOL, maxRequestBytes: 32 * MAX_REQUEST_BLOCKS },
  transactions_by_hash: {
    maxRequestBytes: 32 * MAX_REQUEST_TRANSACTIONS,
    maxChunkBytes: 131_072,
    maxChunks: MAX_REQUEST_TRANSACTIONS,
    timeoutMs: 5000,
    quota: { burst: 1024, perSecond: 512 },
  },
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;
export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as readonly ProtocolName[];

/** The most an answer may hold: the byte limit, and one last chunk if the first alone exceeded it. */
export function maxAnswerBytes(protocol: Protocol): number {
  return Math.max(MAX_RESPONSE_BYTES, protocol.maxChunkBytes);
}

export function protocolId(name: ProtocolName): string {
  return `/jurat/req/${name}/1/ssz_snappy`;
}
