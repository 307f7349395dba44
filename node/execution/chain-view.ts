/** The chain as JSON-RPC sees it, over the execution chain, the pool and the call worker. See specs/rpc/chain-view.md. */
import { type Address, type Hash, ZERO_HASH } from "../../primitives/bytes.ts";
import type {
  AccessListOutcome,
  AccountProof,
  AddressPage,
  AddressSearch,
  BlockReference,
  CallOutcome,
  CallRequest,
  ChainEvents,
  ChainView,
  ConsensusAnswer,
  ConsensusStatus,
  FoundLogs,
  LightAbout,
  LocatedTransaction,
  LogFilter,
  LogLimits,
  NetworkQuestion,
  PoolStatus,
  SenderTransactions,
  SimulationOutcome,
  StateOverride,
  TraceOutcome,
  WitnessOutcome,
} from "../../rpc/chain-view.ts";
import type { LivePicture } from "../../rpc/live-picture.ts";
import { SourceMaps } from "../../rpc/source-maps.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import type { ChainConfig } from "../../vm/chain-config.ts";
import type { ContractDescription } from "../../vm/message.ts";
import type { SimulationRequest } from "../../vm/simulate.ts";
import type { StateReader } from "../../vm/state/account.ts";
import { proveAccount } from "../../vm/state/proof.ts";
import type { Trace, TraceRequest } from "../../vm/tracing/trace.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { TransactionTraces } from "../tracing/transaction-traces.ts";
import { CALL_GAS_CAP, type CallTask, type GasEstimate } from "./call-tasks.ts";
import type { Calls } from "./calls.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import { HeadAccounts } from "./head-accounts.ts";
import type { NodePool } from "./node-pool.ts";
import type { ExecutionUpcalls } from "./port.ts";

/** Before the consensus side has said anything. */
const NO_STATUS: ConsensusStatus = {
  slot: 0,
  headSlot: 0,
  headRoot: ZERO_HASH,
  justifiedEpoch: 0,
  finalizedEpoch: 0,
  finalityLagSlots: 0,
  peers: 0,
  syncTargetSlot: undefined,
  localValidators: 0,
  localVotes: 0,
};

export type NodeChainViewParts = {
  readonly chain: ExecutionChain;
  readonly pool: NodePool;
  readonly calls: Calls;
  /** Absent where there is no consensus. */
  readonly ask?: ExecutionUpcalls["ask"];
  readonly clientVersion: string;
  /** Absent when nothing is traced. */
  readonly traces?: Pick<TransactionTraces, "received"> | undefined;
  /** Gas a call may use; CALL_GAS_CAP when absent. */
  readonly callGasCap?: number;
  /** Whether an index by account is kept up. */
  readonly isAddressIndexed?: boolean;
  /** Empty unless somebody has them. */
  readonly sourceMaps?: SourceMaps;
};

export class NodeChainView implements ChainView {
  readonly chainId: number;
  readonly config: ChainConfig;
  readonly genesisHash: Hash;
  readonly clientVersion: string;
  readonly sourceMaps: SourceMaps;
  readonly #chain: ExecutionChain;
  readonly #pool: NodePool;
  readonly #calls: Calls;
  readonly #ask: NodeChainViewParts["ask"];
  readonly #traces: NodeChainViewParts["traces"];
  readonly #callGasCap: number;
  readonly #isAddressIndexed: boolean;
  readonly #headAccounts = new HeadAccounts();
  #status = NO_STATUS;
  #picture: LivePicture | undefined;
  readonly #pictureListeners = new Set<(picture: LivePicture) => void>();

  constructor(parts: NodeChainViewParts) {
    const { chain, pool, calls, ask, clientVersion, callGasCap = CALL_GAS_CAP, sourceMaps } = parts;
    this.chainId = Number(chain.config.chainId);
    this.config = chain.config;
    this.genesisHash = chain.genesisHash;
    this.clientVersion = clientVersion;
    this.#chain = chain;
    this.#pool = pool;
    this.#calls = calls;
    this.#ask = ask;
    this.#traces = parts.traces;
    this.#callGasCap = callGasCap;
    this.#isAddressIndexed = parts.isAddressIndexed ?? false;
    this.sourceMaps = sourceMaps ?? new SourceMaps();
  }

  head(): Block {
    return this.#chain.head();
  }

  block(reference: BlockReference): Block | undefined {
    if ("hash" in reference) return this.#chain.blocks.get(reference.hash);
    if ("number" in reference) return this.#blockAt(reference.number);
    switch (reference.tag) {
      case "earliest":
        return this.#blockAt(0);
      case "finalized":
        return this.#chain.finalized();
      case "safe":
        return this.#chain.safe();
      case "latest":
      case "pending":
        return this.#chain.head();
    }
  }

  #blockAt(number: number): Block | undefined {
    const hash = this.#chain.blocks.canonicalHash(number);
    return hash === undefined ? undefined : this.#chain.blocks.get(hash);
  }

  isCanonical(hash: Hash): boolean {
    return this.#chain.isCanonical(hash);
  }

  oldestBlock(): number {
    return this.#chain.blocks.oldest();
  }

  oldestState(): number {
    return this.#chain.oldestState();
  }

  receipts(blockHash: Hash): readonly ExecutedReceipt[] | undefined {
    return this.#chain.blocks.receipts(blockHash);
  }

  transaction(hash: Hash): LocatedTransaction | undefined {
    const waiting = this.#pool.get(hash);
    if (waiting !== undefined) return { transaction: waiting, block: undefined, index: 0 };
    const location = this.#chain.blocks.transaction(hash);
    if (location === undefined) return undefined;
    const block = this.#chain.blocks.get(location.blockHash);
    const transaction = block?.transactions[location.index];
    return transaction === undefined ? undefined : { transaction, block, index: location.index };
  }

  stateAt(blockHash: Hash): StateReader | undefined {
    const state = this.#chain.stateAt(blockHash);
    if (state === undefined || blockHash !== this.#chain.head().hash) return state;
    return this.#headAccounts.over(blockHash, state);
  }

  proof(blockHash: Hash, address: Address, slots: readonly Hash[]): AccountProof | undefined {
    const state = this.#chain.stateAt(blockHash);
    return state === undefined ? undefined : proveAccount(state, address, slots);
  }

  pendingNonce(address: Address): bigint {
    return this.#pool.pendingNonce(address);
  }

  pendingTransactions(): readonly RecoveredTransaction[] {
    return this.#pool.pending();
  }

  poolStatus(): PoolStatus {
    return this.#pool.status();
  }

  poolContent(): readonly SenderTransactions[] {
    return this.#pool.content();
  }

  poolContentOf(sender: Address): SenderTransactions {
    return this.#pool.contentOf(sender);
  }

  nextBaseFee(): bigint {
    return nextBaseFee(this.#chain.head().header);
  }

  async submitTransaction(raw: Uint8Array): Promise<RecoveredTransaction> {
    if (this.#traces !== undefined) {
      return this.#traces.received(
        () => this.#pool.submit(raw),
        () => this.#pool.stored(),
      );
    }
    const recovered = this.#pool.submit(raw);
    // What was acknowledged may not be lost, also when the process is killed right after.
    await this.#pool.stored();
    return recovered;
  }

  async call(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<CallOutcome> {
    const task: CallTask<"call"> = { kind: "call", request, overrides, ...this.#siteOf(block) };
    return this.#calls.run(task);
  }

  async estimateGas(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<GasEstimate> {
    const task: CallTask<"estimateGas"> = { kind: "estimateGas", request, overrides, ...this.#siteOf(block) };
    return this.#calls.run(task);
  }

  async createAccessList(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
  ): Promise<AccessListOutcome> {
    const task: CallTask<"accessList"> = { kind: "accessList", request, overrides, ...this.#siteOf(block) };
    return this.#calls.run(task);
  }

  async traceCall(
    request: CallRequest,
    block: Block,
    overrides: ReadonlyMap<Address, StateOverride>,
    tracer: TraceRequest,
  ): Promise<TraceOutcome> {
    return this.#calls.run({ kind: "traceCall", request, overrides, tracer, ...this.#siteOf(block) });
  }

  async traceBlock(block: Block, index: number | undefined, tracer: TraceRequest): Promise<readonly Trace[]> {
    const receipts = this.#chain.blocks.receipts(block.hash) ?? [];
    return this.#calls.run({ kind: "traceBlock", block, receipts, index, tracer });
  }

  async simulate(request: SimulationRequest, block: Block): Promise<SimulationOutcome> {
    return this.#calls.run({ kind: "simulate", request, ...this.#siteOf(block) });
  }

  async witness(request: CallRequest, block: Block): Promise<WitnessOutcome> {
    return this.#calls.run({ kind: "witness", request, ...this.#siteOf(block) });
  }

  async describeContract(code: Uint8Array): Promise<ContractDescription | undefined> {
    return this.#calls.run({ kind: "describe", code });
  }

  async logs(filter: LogFilter, first: number, last: number, limits: LogLimits): Promise<FoundLogs> {
    return this.#calls.run({ kind: "logs", filter, first, last, limits });
  }

  async searchAddress(search: AddressSearch): Promise<AddressPage | undefined> {
    return this.#isAddressIndexed ? this.#calls.run({ kind: "searchAddress", search }) : undefined;
  }

  #siteOf({ hash, header }: Block): Pick<CallTask, "blockHash" | "header" | "gasCap"> {
    return { blockHash: hash, header, gasCap: this.#callGasCap };
  }

  async askLight(about: LightAbout, period: number | undefined): Promise<ConsensusAnswer> {
    return this.#ask?.({ about, period }) ?? { unavailable: "this chain has no validators" };
  }

  async askNetwork(question: NetworkQuestion): Promise<ConsensusAnswer> {
    return this.#ask?.(question) ?? { unavailable: "this chain has no network" };
  }

  consensusStatus(): ConsensusStatus {
    return this.#status;
  }

  /** What the consensus side said last. */
  setConsensusStatus(status: ConsensusStatus): void {
    this.#status = status;
  }

  livePicture(): LivePicture | undefined {
    return this.#picture;
  }

  setLivePicture(picture: LivePicture): void {
    this.#picture = picture;
    for (const listener of this.#pictureListeners) listener(picture);
  }

  onLivePicture(listener: (picture: LivePicture) => void): () => void {
    this.#pictureListeners.add(listener);
    return () => void this.#pictureListeners.delete(listener);
  }

  subscribe(events: ChainEvents): () => void {
    const endHeads = this.#chain.subscribe({ onHead: (change) => events.onHead(change) });
    const endPending = this.#pool.onPending((transaction) => events.onPendingTransaction(transaction));
    return () => {
      endHeads();
      endPending();
    };
  }
}
