/** What peers ask each other, in SSZ. See specs/network/requests.md#messages */
import { ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { Bytes4, Bytes32, Root, Uint53 } from "../../primitives/ssz-types.ts";

/** Blocks asked for in one request, by range or by root. */
export const MAX_REQUEST_BLOCKS = 64;
/** Transactions asked for in one request. */
export const MAX_REQUEST_TRANSACTIONS = 256;
/** A response ends before it exceeds this many uncompressed bytes; the first block is always sent. */
export const MAX_RESPONSE_BYTES = 4 << 20;

const CheckpointMessage = new ContainerType({ epoch: Uint53, root: Root });

/** Where a node stands. Sent by both sides when they meet, and again every few seconds. */
export const Status = new ContainerType({
  forkDigest: Bytes4,
  genesisBlockRoot: Root,
  finalized: CheckpointMessage,
  justified: CheckpointMessage,
  /** Root of the block whose votes proved `justified`, so that a peer can ask for the proof. */
  justifiedProofRoot: Root,
  headSlot: Uint53,
  headRoot: Root,
  /** First slot whose blocks this node can still serve. */
  earliestAvailableSlot: Uint53,
  /** The sender's wall clock in Unix milliseconds, for the estimate of the offset between clocks. */
  clockMs: Uint53,
});
export type Status = ValueOf<typeof Status>;

/**
 * The first `count` blocks at or after `startSlot` on the responder's own chain, ascending. Blocks are
 * counted, not slots: a hundred thousand empty slots cost nothing.
 */
export const BlocksByRange = new ContainerType({ startSlot: Uint53, count: Uint53 });
export type BlocksByRange = ValueOf<typeof BlocksByRange>;

export const BlocksByRoot = new ListCompositeType(Root, MAX_REQUEST_BLOCKS);
export const TransactionsByHash = new ListCompositeType(Bytes32, MAX_REQUEST_TRANSACTIONS);

/** Why a connection is closed. */
export const Goodbye = Uint53;
export const GOODBYE_REASON = { shutdown: 1, otherChain: 2, fault: 3, banned: 251 } as const;
export type GoodbyeReason = keyof typeof GOODBYE_REASON;
