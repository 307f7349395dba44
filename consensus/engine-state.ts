/** Everything the engine remembers between events. See specs/consensus/engine.md#state. */
import { type Hash, toHex, ZERO_HASH } from "../primitives/bytes.ts";
import type {
  AggregateAndProof,
  Attestation,
  BeaconBlock,
  ChainContainers,
  SignedAggregateAndProof,
  SignedBeaconBlock,
} from "./chain-containers.ts";
import type { BeaconBlockHeader, Checkpoint, SingleAttestation, ValidatorIndex } from "./containers.ts";
import type { DecidedBlock } from "./decided-branches.ts";
import type { BlockOrigin, Effect, JobId, PeerId, PeerStatus } from "./engine-events.ts";
import type { ForkChoiceStore, TreeCheckpoint } from "./fork-choice-store.ts";
import type { Operation, OperationPool } from "./operation-pool.ts";
import type { ChainParams } from "./params.ts";
import type { ExecutionPayload, ExecutionRequests } from "./payload-containers.ts";
import type { ConsensusState } from "./state.ts";
import type { StateCache } from "./state-cache.ts";
import type { SyncGate } from "./sync-gate.ts";
import type { Epoch, Slot, UnixSeconds } from "./time.ts";
import type { VotePool } from "./vote-pool.ts";
import type { SignedVote, VoteRecords } from "./vote-records.ts";

/** What the chain is; the same on all its nodes and for ever. */
export type ChainIdentity = {
  readonly params: ChainParams;
  readonly containers: ChainContainers;
  readonly genesisTime: UnixSeconds;
  readonly genesisValidatorsRoot: Uint8Array;
  readonly genesisRoot: Hash;
};

/** What is kept of a block in the tree besides its row: enough to vote, to adopt a proof and to tell the execution side. */
export type TreeBlock = {
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly slot: Slot;
  /** Hash of its execution payload. */
  readonly blockHash: Hash;
  readonly attestations: readonly Attestation[];
};

/** A block on its way into the tree. */
export type PendingBlock = {
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly block: SignedBeaconBlock;
  readonly header: BeaconBlockHeader;
  readonly arrivalMs: number;
  readonly origin: BlockOrigin;
  /** Asked for by its root, not part of a range. */
  readonly isRequested: boolean;
  stage: "early" | "waitingForParent" | "waitingForState" | "checkingProposer" | "checkingBody";
  /** The sender's gossip message was answered. */
  isVerdictGiven: boolean;
  postState: ConsensusState | undefined;
  areSignaturesValid: boolean;
  isPayloadValid: boolean;
};

/** A gossip message that waits for its head block, or is being verified. */
export type PendingVotes = PendingSingleVotes | PendingAggregate;

/** The votes of one node's keys; from a subnet where votes are aggregated. */
export type PendingSingleVotes = {
  readonly kind: "votes";
  readonly attestations: readonly SingleAttestation[];
  readonly subnet: number | undefined;
  readonly peer: PeerId;
  readonly messageId: string;
};

export type PendingAggregate = {
  readonly kind: "aggregate";
  readonly aggregate: SignedAggregateAndProof;
  readonly peer: PeerId;
  readonly messageId: string;
};

/** What a wish with an id was for. */
export type Job =
  | { readonly kind: "proposerSignature"; readonly root: Hash }
  | { readonly kind: "bodySignatures"; readonly root: Hash }
  | { readonly kind: "payload"; readonly root: Hash }
  | { readonly kind: "operation"; readonly operation: Operation; readonly messageId: string }
  | { readonly kind: "votes"; readonly votes: readonly SignedVote[]; readonly message: PendingSingleVotes }
  | { readonly kind: "aggregate"; readonly vote: SignedVote; readonly message: PendingAggregate }
  | { readonly kind: "selectionSigning"; readonly slot: Slot; readonly members: readonly CommitteeMember[] }
  | { readonly kind: "aggregateSigning"; readonly aggregates: readonly AggregateAndProof[] }
  | {
      readonly kind: "attestationSigning";
      readonly validatorIndices: readonly number[];
      readonly vote: OwnVote;
    }
  | { readonly kind: "randao" | "payloadBuilding" | "blockSigning"; readonly slot: Slot }
  | { readonly kind: "states"; readonly target: Hash };

/** A local validator on duty in a slot. */
export type CommitteeMember = { readonly validatorIndex: number; readonly committeeIndex: number };

/** A vote of our own keys, before it is signed. */
export type OwnVote = {
  readonly data: SingleAttestation["data"];
  readonly committeeIndices: readonly number[];
  /** Of the slot; votes are aggregated when there are several. */
  readonly committees: number;
};

/** A local validator that was drawn to aggregate its committee's votes in a slot, and the proof of it. */
export type Selection = CommitteeMember & { readonly selectionProof: Uint8Array; readonly subnet: number };

/** Our block of a slot while it is being made. */
export type BuiltPayload = {
  readonly payload: ExecutionPayload;
  readonly requests: ExecutionRequests;
  /** The node's, unless this proposer has one of its own. */
  readonly graffiti?: Uint8Array | undefined;
};

export type Proposal = {
  readonly slot: Slot;
  readonly proposerIndex: number;
  readonly parentRoot: Hash;
  randaoReveal: Uint8Array | undefined;
  payload: BuiltPayload | undefined;
  /** Once it waits for its signature. */
  block: BeaconBlock | undefined;
};

/** Who proposed what in a slot, once the proposer's signature was checked. */
export type SeenProposal = {
  readonly root: Hash;
  readonly slot: Slot;
  readonly proposerIndex: ValidatorIndex;
  /** SSZ of SignedBeaconBlockHeader: a root of the header as the library gives it keeps 8 KB of its work alive. */
  readonly signedHeader: Uint8Array;
  /** A second block was seen: evidence was given, no more of them are looked at. */
  isEquivocation: boolean;
};

export type Engine = {
  readonly chain: ChainIdentity;
  localValidators: ReadonlySet<number>;
  readonly graffiti: Uint8Array;
  readonly aggregateSignatures: (signatures: readonly Uint8Array[]) => Uint8Array;
  /** Whether somebody wants to hear of every vote. */
  readonly hasSlasher: boolean;
  /** Milliseconds since genesis, moved by ticks only. */
  nowMs: number;
  clockOffsetMs: number;
  /** Whether a slot began since the start. */
  hasStarted: boolean;
  readonly store: ForkChoiceStore;
  readonly states: StateCache;
  /** States carried over period boundaries, by block root and period. */
  readonly advancedStates: Map<string, ConsensusState>;
  readonly blocks: Map<Hash, TreeBlock>;
  /** What the shell was last told about head and checkpoints. */
  announced: { readonly head: Hash; readonly justified: Hash; readonly finalized: Hash };
  /** The subnets last asked for. */
  announcedSubnets: readonly number[];
  /** A safety fault was seen: no duties until a person decides. */
  isFaulted: boolean;

  readonly pendingBlocks: Map<Hash, PendingBlock>;
  readonly invalidRoots: Set<Hash>;
  /** Pruned from the tree, but not yet forgotten: finality is settled once its state is at hand. */
  readonly prunedRoots: Set<Hash>;
  /** The last finalized checkpoint that was told of. */
  settled: TreeCheckpoint;
  /** Roots of pruned branches: their descendants are of no use. */
  readonly abandonedRoots: Set<Hash>;
  /** Blocks that left the tree at finality, so that a branch beside it can still prove a safety fault. */
  readonly decidedBlocks: Map<Hash, DecidedBlock>;
  readonly seenProposals: Map<string, SeenProposal>;
  readonly pendingVotes: Map<Hash, PendingVotes[]>;
  readonly voteRecords: VoteRecords;
  readonly votePool: VotePool;
  /** By target epoch, who sent an aggregate; bounded as the vote records are. */
  readonly seenAggregators: Map<Epoch, Set<number>>;
  readonly operationPool: OperationPool;

  /** What each peer said last, in which slot, and whether a range sync from it has failed since. */
  readonly peers: Map<PeerId, { readonly status: PeerStatus; readonly slot: Slot; hasFailed: boolean }>;
  readonly gate: SyncGate;
  /** Blocks asked for, with the slot of the request. */
  readonly blockRequests: Map<Hash, { readonly peer: PeerId; readonly slot: Slot }>;
  /** Running range syncs, with the slot of their last block. */
  readonly rangeSyncs: Map<PeerId, { lastProgressSlot: Slot; readonly attempt: number }>;

  attestedSlot: Slot;
  /** Our validators' aggregation duties of the slots ahead, and the last slot they were looked up for. */
  readonly selections: Map<Slot, readonly Selection[]>;
  selectedSlot: Slot;
  aggregatedSlot: Slot;
  /** What our validators voted for in the slot of their last vote. */
  ownVote: { readonly slot: Slot; readonly key: Hash } | undefined;
  proposedSlot: Slot;
  proposal: Proposal | undefined;
  blockArrivalMs: number | undefined;

  nextJobId: JobId;
  readonly jobs: Map<JobId, Job>;
  /** Wishes of the step that runs; handed out and emptied at its end. */
  outbox: Effect[];
};

/** Wishes waiting for their answer; beyond it the oldest is given up, as if it had never been asked. */
export const JOBS_LIMIT = 4096;

export function emit(engine: Engine, effect: Effect): void {
  engine.outbox.push(effect);
}

/** Remembers what a wish is for and names it. */
export function openJob(engine: Engine, job: Job): JobId {
  const id = engine.nextJobId++;
  engine.jobs.set(id, job);
  if (engine.jobs.size > JOBS_LIMIT) {
    for (const oldest of engine.jobs.keys()) {
      engine.jobs.delete(oldest);
      break;
    }
  }
  return id;
}

/** What the answer is for; undefined for an answer nobody waits for any more. */
export function closeJob(engine: Engine, id: JobId): Job | undefined {
  const job = engine.jobs.get(id);
  engine.jobs.delete(id);
  return job;
}

export function slotDurationMs(engine: Engine): number {
  return engine.chain.params.slotSeconds * 1000;
}

/** States name the genesis checkpoint by a zero root, the tree by the genesis block. */
export function toTreeCheckpoint(chain: ChainIdentity, { epoch, root }: Checkpoint): TreeCheckpoint {
  const hex = toHex(root);
  return { epoch, root: hex === ZERO_HASH ? chain.genesisRoot : hex };
}
