/** What the engine is told and what it wishes: plain data both ways. See specs/consensus/engine.md. */

import type { SignatureSet } from "../primitives/bls.ts";
import type { Hash } from "../primitives/bytes.ts";
import type {
  AggregateAndProof,
  AttesterSlashing,
  SignedAggregateAndProof,
  SignedBeaconBlock,
} from "./chain-containers.ts";
import type { AttestationData, BeaconBlockHeader, SingleAttestation, Withdrawal } from "./containers.ts";
import type { TreeCheckpoint } from "./fork-choice-store.ts";
import type { Operation } from "./operation-pool.ts";
import type { ExecutionPayload, ExecutionRequests } from "./payload-containers.ts";
import type { ConsensusState } from "./state.ts";
import type { SignedVote } from "./vote-records.ts";

export type PeerId = string;
/** Names a wish whose answer comes as an event. Ids are never used twice in the life of an engine. */
export type JobId = number;

/** Where a block came from, and who answers for it. */
export type BlockOrigin =
  | { readonly kind: "gossip"; readonly peer: PeerId; readonly messageId: string }
  | { readonly kind: "sync"; readonly peer: PeerId }
  | { readonly kind: "own" };

/** Where a peer stands, from its status message. Roots are of blocks. */
export type PeerStatus = {
  readonly finalized: TreeCheckpoint;
  readonly justified: TreeCheckpoint;
  /** The block whose import proved `justified` to the peer. */
  readonly justifiedProofRoot: Hash;
  readonly headRoot: Hash;
  readonly headSlot: number;
};

/** Two conflicting messages that one validator, or several, signed. */
export type Evidence = Extract<Operation, { readonly kind: "proposerSlashing" | "attesterSlashing" }>;

export type EngineEvent =
  /**
   * Time. Wanted at each slot's start, when votes fall due and when aggregates do (engineWakeMoments); more often does no harm. Only
   * this moves the engine's clock. `nowMs` counts from genesis and is negative before it.
   */
  | { readonly type: "tick"; readonly nowMs: number; readonly clockOffsetMs?: number }
  /** `arrivalMs`, since genesis, is when the last byte arrived. */
  | {
      readonly type: "blockReceived";
      readonly block: SignedBeaconBlock;
      readonly arrivalMs: number;
      readonly origin: BlockOrigin;
    }
  /** One gossip message: the votes of one node's keys, by the subnet of their committee if there are several. */
  | {
      readonly type: "attestationsReceived";
      readonly attestations: readonly SingleAttestation[];
      readonly subnet?: number | undefined;
      readonly peer: PeerId;
      readonly messageId: string;
    }
  /** One gossip message: what an aggregator put together of its committee's votes. */
  | {
      readonly type: "aggregateReceived";
      readonly aggregate: SignedAggregateAndProof;
      readonly peer: PeerId;
      readonly messageId: string;
    }
  /** A slashing or an exit from gossip. */
  | { readonly type: "operationReceived"; readonly operation: Operation; readonly messageId: string }
  /** The slasher found a pair of votes; both were verified here before. */
  | { readonly type: "evidenceFound"; readonly slashing: AttesterSlashing }
  /** The finalized registry has these validators, whose keys this node holds, too. */
  | { readonly type: "localValidatorsJoined"; readonly validatorIndices: readonly number[] }
  /** Their keys were taken from this node: no more duties. */
  | { readonly type: "localValidatorsLeft"; readonly validatorIndices: readonly number[] }
  /** One answer per set of the wish, in its order. */
  | { readonly type: "signaturesVerified"; readonly id: JobId; readonly valid: readonly boolean[] }
  | { readonly type: "payloadExecuted"; readonly id: JobId; readonly verdict: "valid" | "invalid" }
  | {
      readonly type: "payloadBuilt";
      readonly id: JobId;
      readonly payload: ExecutionPayload;
      readonly requests: ExecutionRequests;
      /** Of this block, where its proposer has one of its own. */
      readonly graffiti?: Uint8Array | undefined;
    }
  | { readonly type: "payloadBuildFailed"; readonly id: JobId }
  /** One entry per validator of the wish, in its order; undefined where signing was refused (slashing protection). */
  | { readonly type: "signed"; readonly id: JobId; readonly signatures: readonly (Uint8Array | undefined)[] }
  | { readonly type: "peerStatus"; readonly peer: PeerId; readonly status: PeerStatus }
  | { readonly type: "peerGone"; readonly peer: PeerId }
  /** After `requestBlock`; the block itself, if any, came before as blockReceived. */
  | {
      readonly type: "blockRequestEnded";
      readonly root: Hash;
      readonly peer: PeerId;
      readonly outcome: "delivered" | "unavailable" | "timedOut";
    }
  /** After `startRangeSync`. `unlinked`: the first block's parent is unknown here; the engine starts further back. */
  | {
      readonly type: "rangeSyncEnded";
      readonly peer: PeerId;
      readonly outcome: "done" | "unlinked" | "unavailable" | "timedOut" | "invalid";
    }
  /** The stored blocks asked for, in the order asked. */
  | { readonly type: "blocksLoaded"; readonly id: JobId; readonly blocks: readonly SignedBeaconBlock[] };

/** What became of a received block; range sync paces itself by it. */
export type BlockOutcome = "imported" | "known" | "unknownParent" | "invalid" | "ignored";

export type Effect =
  /** Check all sets; answer one boolean per set. Votes of one slot mostly share one message. */
  | {
      readonly type: "verifySignatures";
      readonly id: JobId;
      readonly sets: readonly SignatureSet[];
      /** Blocks go before votes. */
      readonly urgency: "block" | "vote";
    }
  /** Execute on top of `payload.parentHash`. */
  | {
      readonly type: "executePayload";
      readonly id: JobId;
      readonly payload: ExecutionPayload;
      readonly requests: ExecutionRequests;
      readonly parentBeaconBlockRoot: Hash;
    }
  | {
      readonly type: "gossipVerdict";
      readonly messageId: string;
      readonly verdict: "accept" | "ignore" | "reject";
      /** A stable code: why it was not accepted. */
      readonly reason: string;
    }
  | {
      readonly type: "penalizePeer";
      readonly peer: PeerId;
      readonly fault: "lie" | "unavailable" | "timeout";
      readonly reason: string;
    }
  /** Ask this peer for one block. Ends with blockRequestEnded. */
  | { readonly type: "requestBlock"; readonly root: Hash; readonly peer: PeerId }
  /** Ask this peer for its chain from a slot up to its head; feed the blocks in order. Ends with rangeSyncEnded. */
  | {
      readonly type: "startRangeSync";
      readonly peer: PeerId;
      readonly fromSlot: number;
      readonly toSlot: number;
      readonly headRoot: Hash;
    }
  /** Every received block ends with one of these; `reason` is a stable code. */
  | {
      readonly type: "blockProcessed";
      readonly root: Hash;
      readonly outcome: BlockOutcome;
      readonly reason: string;
    }
  /** Keep it: the block is valid and in the tree. Its votes may prove a source we are about to sign. */
  | {
      readonly type: "storeBlock";
      readonly root: Hash;
      readonly slot: number;
      readonly block: SignedBeaconBlock;
    }
  /** Read stored blocks back, to rebuild a state that was dropped. */
  | { readonly type: "loadBlocks"; readonly id: JobId; readonly roots: readonly Hash[] }
  /** The head or a checkpoint moved: feeds the execution side's fork choice. Hashes are of execution blocks. */
  | {
      readonly type: "headChanged";
      readonly root: Hash;
      readonly slot: number;
      readonly blockHash: Hash;
      readonly safeBlockHash: Hash;
      readonly finalizedBlockHash: Hash;
    }
  /** Keep it with the database: the fork choice's valve counts from `atSlot`, also over a restart. */
  | {
      readonly type: "justified";
      readonly checkpoint: TreeCheckpoint;
      readonly proofRoot: Hash;
      readonly atSlot: number;
    }
  /**
   * `canonicalRoots` lead from the last finalized block (not included) up to this one; `prunedRoots` are of no use any
   * more. `state` is the block's post-state: stored with `checkpoint`, a node can start from it.
   */
  | {
      readonly type: "finalized";
      readonly checkpoint: TreeCheckpoint;
      readonly slot: number;
      readonly blockHash: Hash;
      readonly state: ConsensusState;
      readonly canonicalRoots: readonly Hash[];
      readonly prunedRoots: readonly Hash[];
    }
  /**
   * Sign one vote for all these validators. First, on disk and synced: every block stored so far (the source's proof is
   * `proofRoot`), and per validator the watermark of source and target epoch. A validator whose watermark forbids it
   * gets no signature. Answer: signed.
   */
  | {
      readonly type: "signAttestation";
      readonly id: JobId;
      readonly validatorIndices: readonly number[];
      readonly data: AttestationData;
      readonly signingRoot: Uint8Array;
      readonly proofRoot: Hash;
    }
  /** Sign a block once its slot's watermark is on disk and synced. Answer: signed, one signature. */
  | {
      readonly type: "signBlock";
      readonly id: JobId;
      readonly validatorIndex: number;
      readonly slot: number;
      /** Of the block: whoever signs elsewhere sees what is signed. */
      readonly header: BeaconBlockHeader;
      readonly signingRoot: Uint8Array;
    }
  /** The reveal of an epoch; signing it twice is harmless. Answer: signed, one signature. */
  | {
      readonly type: "signRandao";
      readonly id: JobId;
      readonly validatorIndex: number;
      readonly epoch: number;
      readonly signingRoot: Uint8Array;
    }
  /** Build on the head. Answer: payloadBuilt or payloadBuildFailed, in time for the block to travel. */
  | {
      readonly type: "buildPayload";
      readonly id: JobId;
      readonly parentHash: Hash;
      /** Seconds since 1970. */
      readonly timestamp: number;
      readonly prevRandao: Hash;
      readonly withdrawals: readonly Withdrawal[];
      readonly parentBeaconBlockRoot: Hash;
      readonly proposerIndex: number;
    }
  /** The slot stays empty on our account. */
  | {
      readonly type: "proposalFailed";
      readonly slot: number;
      readonly validatorIndex: number;
      readonly reason: string;
    }
  | { readonly type: "publishBlock"; readonly root: Hash; readonly block: SignedBeaconBlock }
  /** `subnet`: of their committee, where votes are aggregated. */
  | {
      readonly type: "publishAttestations";
      readonly attestations: readonly SingleAttestation[];
      readonly subnet: number | undefined;
    }
  /** Whether these validators aggregate in the slot, shown by their signature. Answer: signed, one each or undefined. */
  | {
      readonly type: "signSelections";
      readonly id: JobId;
      readonly validatorIndices: readonly number[];
      readonly slot: number;
      readonly signingRoot: Uint8Array;
    }
  /** Aggregates are not slashable. Answer: signed, one signature each or undefined, by `aggregatorIndex`. */
  | {
      readonly type: "signAggregates";
      readonly id: JobId;
      readonly aggregates: readonly {
        readonly message: AggregateAndProof;
        readonly signingRoot: Uint8Array;
      }[];
    }
  | { readonly type: "publishAggregates"; readonly aggregates: readonly SignedAggregateAndProof[] }
  /** Listen to these subnets, ascending, besides those the node keeps for others' sake; no longer to those before. */
  | { readonly type: "subnetsWanted"; readonly subnets: readonly number[] }
  /** Only where a slasher listens: a vote of gossip or of a block, its signatures verified. */
  | { readonly type: "voteSeen"; readonly vote: SignedVote }
  /** Someone signed two conflicting messages; both signatures are verified. Tell everyone. */
  | { readonly type: "slashingEvidence"; readonly evidence: Evidence }
  /** A third of the stake signed slashable messages: duties have stopped, a person must decide. */
  | {
      readonly type: "safetyFault";
      readonly ours: TreeCheckpoint;
      readonly conflicting: TreeCheckpoint;
      /** Its votes, and those of its ancestors, prove it: to be kept. */
      readonly block: SignedBeaconBlock;
    }
  /** Once a slot, at its end: for the log line and the metrics. */
  | { readonly type: "slotSummary"; readonly summary: SlotSummary };

/** One slot, as seen at its end. */
export type SlotSummary = {
  readonly slot: number;
  readonly headSlot: number;
  readonly headRoot: Hash;
  readonly justifiedEpoch: number;
  readonly finalizedEpoch: number;
  readonly finalizedSlot: number;
  /** Slots between this one and the finalized block's. */
  readonly finalityLagSlots: number;
  readonly isSynced: boolean;
  /** Milliseconds into the slot at which its block arrived; undefined without one. */
  readonly blockArrivalMs: number | undefined;
  /** Validators whose vote of this slot arrived, and how many of them are ours. */
  readonly votes: number;
  readonly localVotes: number;
  /** Validators that were to vote in this slot, and those active in its epoch; 0 without a state to tell. */
  readonly voters: number;
  readonly activeValidators: number;
  /** Blocks in the tree and states in memory. */
  readonly treeBlocks: number;
  readonly keptStates: number;
};
