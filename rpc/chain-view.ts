/** What the JSON-RPC methods ask of a node: the one port between `rpc` and the chain. See specs/rpc/chain-view.md. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { Block, ExecutedReceipt, Log } from "../vm/block.ts";
import type { ChainConfig } from "../vm/chain-config.ts";
import type { ContractDescription } from "../vm/message.ts";
import type { SimulationRequest } from "../vm/simulate.ts";
import type { Account, StateReader } from "../vm/state/account.ts";
import type { Trace, TraceRequest } from "../vm/tracing/trace.ts";
import type { AccessListEntry, RecoveredTransaction } from "../vm/transaction.ts";
import type { InvalidTransactionDetail } from "../vm/transaction-rules.ts";
import type { Json } from "./json.ts";
import type { LivePicture } from "./live-picture.ts";
import type { SourceMaps } from "./source-maps.ts";

/** A block the caller named, not yet looked up. `pending` is the head plus the pool's transactions. */
export type BlockTag = "earliest" | "finalized" | "safe" | "latest" | "pending";
export type BlockReference =
  | { readonly tag: BlockTag }
  | { readonly number: number }
  | { readonly hash: Hash; readonly requireCanonical?: boolean };

export type LocatedTransaction = {
  readonly transaction: RecoveredTransaction;
  /** Undefined while the transaction waits in the pool. */
  readonly block: Block | undefined;
  readonly index: number;
};

/** How many logs, and how many characters of their JSON, an answer may have. */
export type LogLimits = { readonly logs: number; readonly characters: number };

/** The JSON of a list of logs, or the number of the block in which a limit was passed. */
export type FoundLogs =
  | { readonly json: string }
  | { readonly beyond: keyof LogLimits; readonly blockNumber: number };

export type LocatedLog = Log & {
  readonly blockHash: Hash;
  readonly blockNumber: number;
  readonly blockTimestamp: number;
  readonly transactionHash: Hash;
  readonly transactionIndex: number;
  readonly logIndex: number;
};

/** Addresses are alternatives; each topic position is undefined (anything) or a list of alternatives. */
export type LogFilter = {
  readonly addresses: readonly Address[];
  readonly topics: readonly (readonly Hash[] | undefined)[];
};

/** Blocks from `first` to `last`, both included, looked through from either end. */
export type AddressSearch = {
  readonly address: Address;
  readonly first: number;
  readonly last: number;
  readonly isForward: boolean;
  /** Transactions after which a page ends, with the block it is in. */
  readonly limit: number;
};

/** `found` is newest first; `hasMore` when there are others in the direction of the search. */
export type AddressPage = {
  readonly found: readonly { readonly blockHash: Hash; readonly index: number }[];
  readonly hasMore: boolean;
};

export type CallRequest = {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly gas: bigint | undefined;
  readonly gasPrice: bigint | undefined;
  readonly maxFeePerGas: bigint | undefined;
  readonly maxPriorityFeePerGas: bigint | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  readonly nonce: bigint | undefined;
};

/** State overrides of eth_call, as in geth. */
export type StateOverride = {
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** Replaces the whole storage. */
  readonly state?: ReadonlyMap<Hash, bigint>;
  /** Replaces single slots. */
  readonly stateDiff?: ReadonlyMap<Hash, bigint>;
};

export type CallOutcome = {
  /** `success`, `revert`, or the failure's text as in specs/vm/outcomes.md. */
  readonly outcome: string;
  readonly output: Uint8Array;
  readonly gasUsed: bigint;
  /** Where it failed in the author's source, on a development chain: the innermost function first. */
  readonly stack?: readonly string[];
};

/** An access list and the call that was run with it, or why the call may not even begin. */
export type AccessListOutcome =
  | { readonly accessList: readonly AccessListEntry[]; readonly call: CallOutcome }
  | { readonly failed: CallOutcome };

/** What a call of a simulated block did. `maxGasUsed` is what it needed at its height, before the refund. */
export type SimulatedCallOutcome = CallOutcome & {
  readonly maxGasUsed: bigint;
  readonly logs: readonly Log[];
};
export type SimulatedBlockOutcome = {
  readonly block: Block;
  readonly results: readonly SimulatedCallOutcome[];
};
/** The rule a call breaks before it begins. */
export type SimulationFailure = {
  readonly rule: InvalidTransactionDetail["code"] | "SIMULATED_BLOCK_FULL";
  readonly message: string;
};
export type SimulationOutcome =
  | { readonly blocks: readonly SimulatedBlockOutcome[] }
  | { readonly failed: SimulationFailure };

export type AccountProof = {
  readonly account: Account;
  readonly accountProof: readonly Uint8Array[];
  readonly storageProof: readonly {
    readonly slot: Hash;
    readonly value: bigint;
    readonly proof: readonly Uint8Array[];
  }[];
};

/** The consensus side as of the last slot, pushed to the execution thread; plain data. */
export type ConsensusStatus = {
  readonly slot: number;
  readonly headSlot: number;
  readonly headRoot: Hash;
  readonly justifiedEpoch: number;
  readonly finalizedEpoch: number;
  /** Slots between now and the slot of the finalized block. */
  readonly finalityLagSlots: number;
  readonly peers: number;
  /** Highest head slot a peer claims, while we sync; undefined when in sync. */
  readonly syncTargetSlot: number | undefined;
  /** Validator keys of this node, and how many of them voted in the last completed slot. */
  readonly localValidators: number;
  readonly localVotes: number;
  /** Where this node serves the beacon API; undefined when it does not, or before its first slot. */
  readonly beaconPort?: number;
};

export type LightAbout = "validatorSet" | "finalizedBlock" | "setChange";
/** What an operator asks of the network. See specs/rpc/methods.md#admin. */
export type NetworkQuestion =
  | { readonly about: "nodeInfo" }
  | { readonly about: "peers" }
  | { readonly about: "addPeer"; readonly address: string };
/** JSON as the method's chapter has it, or why there is none in this moment. */
export type ConsensusAnswer = { readonly json: Json } | { readonly unavailable: string };

export type PoolStatus = { readonly pending: number; readonly queued: number };

/** What one sender has in the pool, in nonce order: ready for the next blocks, and behind a nonce gap. */
export type SenderTransactions = {
  readonly sender: Address;
  readonly pending: readonly RecoveredTransaction[];
  readonly queued: readonly RecoveredTransaction[];
};

/** What happened to the canonical chain: `removed` newest first, `added` oldest first. */
export type HeadChange = { readonly removed: readonly Block[]; readonly added: readonly Block[] };

export type ChainEvents = {
  onHead(change: HeadChange): void;
  onPendingTransaction(transaction: RecoveredTransaction): void;
};

/** Raised by submitTransaction; `message` is the text clients match on (design: geth's). */
export type RejectionText =
  | "nonce too low"
  | "nonce too high"
  | "insufficient funds for gas * price + value"
  | "intrinsic gas too low"
  | "replacement transaction underpriced"
  | "transaction underpriced"
  | "already known"
  | "exceeds block gas limit"
  | "max fee per gas less than block base fee"
  | "max priority fee per gas higher than max fee per gas"
  | "only replay-protected (EIP-155) transactions allowed over RPC"
  | "transaction type not supported"
  | "txpool is full"
  | "oversized data"
  | "undecodable transaction"
  | "invalid sender"
  | "sender not an eoa"
  | "invalid chain id for signer"
  | "gapped-nonce transaction beyond the pool's limit"
  | "max initcode size exceeded"
  | "nonce has max value";

/**
 * Lookups of single blocks and transactions are synchronous database reads. What runs contract code
 * or scans many blocks is asynchronous: it goes to a call worker, off the block-execution path.
 */
export interface ChainView {
  readonly chainId: number;
  readonly config: ChainConfig;
  readonly genesisHash: Hash;
  readonly clientVersion: string;

  head(): Block;
  /** Undefined when no such block is known; `pending` answers the head. */
  block(reference: BlockReference): Block | undefined;
  isCanonical(hash: Hash): boolean;
  /** Oldest block number whose body, and oldest whose state, this node still has. */
  oldestBlock(): number;
  oldestState(): number;
  /** One receipt per transaction of the block. */
  receipts(blockHash: Hash): readonly ExecutedReceipt[] | undefined;
  transaction(hash: Hash): LocatedTransaction | undefined;
  /** Undefined when the state of that block was pruned. */
  stateAt(blockHash: Hash): StateReader | undefined;
  proof(blockHash: Hash, address: Address, slots: readonly Hash[]): AccountProof | undefined;

  /** Next nonce of the sender, counting its executable transactions in the pool. */
  pendingNonce(address: Address): bigint;
  pendingTransactions(): readonly RecoveredTransaction[];
  poolStatus(): PoolStatus;
  poolContent(): readonly SenderTransactions[];
  /** Both lists are empty when the sender has nothing there. */
  poolContentOf(sender: Address): SenderTransactions;
  /** Base fee of the block after the head. */
  nextBaseFee(): bigint;
  /** Admits, stores and gossips it. @throws TransactionRejected with the text clients match on. */
  submitTransaction(raw: Uint8Array): Promise<RecoveredTransaction>;

  /** `block` is where it runs: the state after it, in its environment. */
  call(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<CallOutcome>;
  /** The smallest gas limit with which the call succeeds, or the failing outcome at the cap. */
  estimateGas(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<{ readonly gas: bigint } | { readonly failed: CallOutcome }>;
  /** What the call touches, as an access list that makes it warm. */
  createAccessList(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<AccessListOutcome>;
  /** The call again, watched. */
  traceCall(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
    tracer: TraceRequest,
  ): Promise<TraceOutcome>;
  /** The transaction at `index` of a stored block, or all of them, again and watched. */
  traceBlock(block: Block, index: number | undefined, tracer: TraceRequest): Promise<readonly Trace[]>;
  /** Blocks of calls after `block`, on the state after it. */
  simulate(request: SimulationRequest, block: Block): Promise<SimulationOutcome>;
  /** The call, and what it read of the state it ran on. */
  witness(request: CallRequest, block: Block): Promise<WitnessOutcome>;
  /** What the contract in `code` says of itself; undefined when it is none. */
  describeContract(code: Uint8Array): Promise<ContractDescription | undefined>;
  /** Logs of canonical blocks from `first` to `last`, both included, in chain order. */
  logs(filter: LogFilter, first: number, last: number, limits: LogLimits): Promise<FoundLogs>;

  /** Transactions of canonical blocks that an account took part in; undefined where they are not indexed. */
  searchAddress(search: AddressSearch): Promise<AddressPage | undefined>;

  /** Empty but on a development chain: the sources that authors wrote are not on chain. */
  readonly sourceMaps: SourceMaps;
  consensusStatus(): ConsensusStatus;
  /** What consensus proves to light clients, of the set of a period or of the newest. */
  askLight(about: LightAbout, period: number | undefined): Promise<ConsensusAnswer>;
  askNetwork(question: NetworkQuestion): Promise<ConsensusAnswer>;
  /** As of the last slot; undefined where nobody draws it. */
  livePicture(): LivePicture | undefined;
  /** Told of each new picture. Returns the function that ends the subscription. */
  onLivePicture(listener: (picture: LivePicture) => void): () => void;
  /** Returns the function that ends the subscription. */
  subscribe(events: ChainEvents): () => void;
}

/** What a call did, and all that it read. */
export type WitnessOutcome = {
  readonly call: CallOutcome;
  readonly accounts: readonly { readonly address: Address; readonly slots: readonly Hash[] }[];
  readonly codes: readonly Uint8Array[];
};

/** A trace, or why the call could not even begin. */
export type TraceOutcome = { readonly trace: Trace } | { readonly failed: CallOutcome };

/** Why the pool refused a transaction. */
export class TransactionRejected extends Error {
  override readonly name = "TransactionRejected";
  readonly text: RejectionText;

  /** The text first; figures that help a person follow a colon. */
  constructor(text: RejectionText, detail?: string) {
    super(detail === undefined ? text : `${text}: ${detail}`);
    this.text = text;
  }
}
