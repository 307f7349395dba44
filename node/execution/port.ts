/**
 * What the consensus side asks of the execution side and what it hears back, shaped like Ethereum's Engine
 * API: plain data that can cross threads. See specs/node/execution.md#the-port.
 */
import type { Withdrawal } from "../../consensus/containers.ts";
import type { ExecutionPayload, ExecutionRequests } from "../../consensus/payload-containers.ts";
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { ConsensusAnswer, ConsensusStatus, LightAbout, NetworkQuestion } from "../../rpc/chain-view.ts";
import type { LivePicture } from "../../rpc/live-picture.ts";
import type { MetricReading } from "../metrics/thread-metrics.ts";
import type { TraceContext } from "../tracing/span.ts";
import type { GossipVerdict } from "./gossip-admission.ts";
import type { PortErrorDetail } from "./port-error.ts";

/** A payload as a beacon block carries it, with what the block says about it. */
export type PayloadToExecute = {
  readonly payload: ExecutionPayload;
  readonly requests: ExecutionRequests;
  readonly parentBeaconBlockRoot: Hash;
  /** Where the spans of its execution hang, when it is traced. */
  readonly trace?: TraceContext;
};

/**
 * `syncing`: the parent is not known, or its state is gone; nothing is said about the payload itself.
 * `invalid`: whoever made the block broke a rule; `reason` is for people.
 */
export type PayloadVerdict =
  | { readonly status: "valid" }
  | { readonly status: "invalid"; readonly reason: string }
  | { readonly status: "syncing" };

/** Execution block hashes. The zero hash stands for genesis. */
export type ForkchoiceUpdate = { readonly head: Hash; readonly safe: Hash; readonly finalized: Hash };

/** `syncing`: the head is not known yet, and nothing changed. */
export type ForkchoiceVerdict = { readonly status: "valid" } | { readonly status: "syncing" };

export type PayloadAttributes = {
  readonly parentHash: Hash;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly prevRandao: Hash;
  readonly feeRecipient: Address;
  readonly withdrawals: readonly Withdrawal[];
  readonly parentBeaconBlockRoot: Hash;
  /** What the proposer wants the gas limit to become; a block moves at most 1/1024 toward it. */
  readonly gasLimitTarget: bigint;
  readonly extraData: Uint8Array;
  /** Transactions are added for at most this long, in milliseconds. */
  readonly budgetMs: number;
};

export type BuiltPayload = {
  readonly payload: ExecutionPayload;
  readonly requests: ExecutionRequests;
  /** What the block earns its proposer. */
  readonly tipsWei: bigint;
};

/** Transactions of one gossip message. */
export type GossipedTransactions = { readonly peer: string; readonly raws: readonly Uint8Array[] };

/** Where the execution side stands, for the consensus side to know what to send it at start. */
export type ExecutionProgress = {
  /** The block whose state is on disk: every block after it that is still missing must be sent. */
  readonly finalized: { readonly number: number; readonly hash: Hash };
  readonly head: { readonly number: number; readonly hash: Hash };
};

export type ExecutionMetrics = {
  /** Of the execution thread and of the call worker. */
  readonly readings: readonly (readonly MetricReading[])[];
  readonly pendingTransactions: number;
  readonly queuedTransactions: number;
};

/** Entries of one page: a few milliseconds of the execution thread. */
export const STATE_PAGE_LIMIT = 1024;

/** A page of the state after a canonical block: keys and values as they are stored. */
export type StateRange = {
  readonly blockNumber: number;
  readonly table: "accounts" | "storage";
  /** The last key of the page before; empty for the first page. */
  readonly after: Uint8Array;
};
export type StateEntries = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

export interface ExecutionPort {
  progress(): Promise<ExecutionProgress>;
  executePayload(request: PayloadToExecute): Promise<PayloadVerdict>;
  /** Makes `head` the canonical chain and merges what is final. */
  setForkchoice(update: ForkchoiceUpdate): Promise<ForkchoiceVerdict>;
  /** @throws PortError PARENT_UNKNOWN */
  buildPayload(attributes: PayloadAttributes): Promise<BuiltPayload>;
  /** One verdict per transaction. */
  addGossipedTransactions(batch: GossipedTransactions): Promise<readonly GossipVerdict[]>;
  /** The pool's encodings; undefined for what it does not have. */
  getTransactionsByHash(hashes: readonly Hash[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** At most STATE_PAGE_LIMIT entries; none after the last. Undefined for a block whose state is not kept. */
  readState(range: StateRange): Promise<StateEntries | undefined>;
  readCodes(hashes: readonly Hash[]): Promise<readonly (Uint8Array | undefined)[]>;
  updateConsensusStatus(status: ConsensusStatus): Promise<void>;
  /** For the explorer; only sent where it is served. */
  updateLivePicture(picture: LivePicture): Promise<void>;
  metrics(): Promise<ExecutionMetrics>;
  /** Ends the service after what is under way; the database is closed when it resolves. */
  stop(): Promise<void>;
}

/** What a light client asks of consensus. */
export type LightQuestion = {
  readonly about: LightAbout;
  /** Of the set the client trusts; the newest when it says nothing. */
  readonly period: number | undefined;
};

export type ConsensusQuestion = LightQuestion | NetworkQuestion;

/** What the execution side says and asks unasked. */
export interface ExecutionUpcalls {
  /** Transactions this node's users sent, to be gossiped. */
  publishTransactions(raws: readonly Uint8Array[]): void;
  /** Of a transaction that is published next, when it is traced: where the span of its gossip hangs. */
  traceGossip(trace: TraceContext): void;
  /** For JSON-RPC: only the consensus side can prove what is final, and has the network. */
  ask(question: ConsensusQuestion): Promise<ConsensusAnswer>;
  /** The execution side cannot go on; the node stops. */
  fatal(message: string): void;
}

export const EXECUTION_METHODS = [
  "progress",
  "executePayload",
  "setForkchoice",
  "buildPayload",
  "addGossipedTransactions",
  "getTransactionsByHash",
  "readState",
  "readCodes",
  "updateConsensusStatus",
  "updateLivePicture",
  "metrics",
  "stop",
] as const satisfies readonly (keyof ExecutionPort)[];
export type ExecutionMethod = (typeof EXECUTION_METHODS)[number];

export type RequestMessage = {
  readonly type: "request";
  readonly id: number;
  readonly method: ExecutionMethod;
  /** The method's one argument, if it has one. */
  readonly argument: unknown;
};
export type ResponseMessage =
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  | {
      readonly type: "failure";
      readonly id: number;
      readonly message: string;
      /** Present when the failure is one the caller may expect. */
      readonly detail: PortErrorDetail | undefined;
    };
export type UpcallMessage = {
  readonly type: "upcall";
  readonly name: "publishTransactions" | "traceGossip" | "fatal";
  readonly argument: unknown;
};
/** An upcall that is answered. */
export type QuestionMessage = {
  readonly type: "question";
  readonly id: number;
  readonly question: ConsensusQuestion;
};
export type AnswerMessage = {
  readonly type: "answer";
  readonly id: number;
  readonly answer: ConsensusAnswer;
};

/** The part of a Worker or MessagePort that both ends need. */
export interface MessageChannelEnd {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
}
