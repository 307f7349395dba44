/** The execution port, answered: payloads, fork choice and transactions for the consensus side. See specs/node/execution.md. */
import type { ChainParams } from "../../consensus/params.ts";
import { type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { ConsensusStatus } from "../../rpc/chain-view.ts";
import type { LivePicture } from "../../rpc/live-picture.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { TransactionSource } from "../../vm/build-payload.ts";
import { InvalidBlockError } from "../../vm/invalid-block.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import type { ExecutionChain } from "./execution-chain.ts";
import type { GossipVerdict } from "./gossip-admission.ts";
import { blockOfPayload, decodeRequests, PayloadError, payloadOfBlock, toVmWithdrawal } from "./payload.ts";
import type {
  BuiltPayload,
  ExecutionMetrics,
  ExecutionPort,
  ForkchoiceUpdate,
  ForkchoiceVerdict,
  GossipedTransactions,
  PayloadAttributes,
  PayloadToExecute,
  PayloadVerdict,
} from "./port.ts";
import { PortError } from "./port-error.ts";

/** What the service asks of the transaction pool. */
export interface TransactionPool {
  get(hash: Hash): RecoveredTransaction | undefined;
  /** Executable transactions for a block with this base fee, best first. */
  best(baseFee: bigint): TransactionSource;
  status(): { readonly pending: number; readonly queued: number };
}

export type ExecutionServiceOptions = {
  readonly chain: ExecutionChain;
  readonly params: ChainParams;
  readonly pool: TransactionPool;
  /** Checks and keeps transactions from gossip; one verdict each. */
  readonly admitGossip: (batch: GossipedTransactions) => Promise<readonly GossipVerdict[]>;
  /** Milliseconds of a clock that never goes back; bounds payload building. */
  readonly nowMs: () => number;
  readonly readMetrics: () => Promise<ExecutionMetrics["readings"]>;
  readonly onConsensusStatus: (status: ConsensusStatus) => void;
  readonly onLivePicture: (picture: LivePicture) => void;
  /** Closes what the service lives on: servers, workers, the database. */
  readonly onStop: () => Promise<void>;
};

export function createExecutionService(options: ExecutionServiceOptions): ExecutionPort {
  const { chain, pool } = options;
  /** Payloads that are being executed or stored, by block hash: the database stays open for them. */
  const underWay = new Map<string, Promise<PayloadVerdict>>();
  return {
    progress: async () => ({
      finalized: chain.merged(),
      head: { number: chain.head().header.number, hash: chain.head().hash },
    }),
    executePayload(request) {
      const hash = toHex(request.payload.blockHash);
      const parent = underWay.get(toHex(request.payload.parentHash));
      // Blocks are sent one after the other without waiting; a parent that fails is answered for by itself.
      const begin = () => executePayload(options, request);
      const verdict = parent === undefined ? begin() : parent.then(begin, begin);
      underWay.set(hash, verdict);
      const forget = () => {
        if (underWay.get(hash) === verdict) underWay.delete(hash);
      };
      verdict.then(forget, forget);
      return verdict;
    },
    setForkchoice: async (update) => setForkchoice(chain, update),
    buildPayload: async (attributes) => buildPayload(options, attributes),
    addGossipedTransactions: (batch) => options.admitGossip(batch),
    getTransactionsByHash: async (hashes) => hashes.map((hash) => pool.get(hash)?.raw),
    readState: async (range) => chain.readState(range),
    readCodes: async (hashes) => hashes.map((hash) => chain.readCode(hash)),
    updateConsensusStatus: async (status) => options.onConsensusStatus(status),
    updateLivePicture: async (picture) => options.onLivePicture(picture),
    metrics: async () => {
      const { pending, queued } = pool.status();
      return {
        readings: await options.readMetrics(),
        pendingTransactions: pending,
        queuedTransactions: queued,
      };
    },
    async stop() {
      await Promise.allSettled(underWay.values());
      await options.onStop();
    },
  };
}

async function executePayload(
  { chain, params, pool }: ExecutionServiceOptions,
  request: PayloadToExecute,
): Promise<PayloadVerdict> {
  if (chain.isExecuted(toHex(request.payload.blockHash))) return { status: "valid" };
  if (!chain.canExtend(toHex(request.payload.parentHash))) return { status: "syncing" };
  // A pooled transaction was recovered when it came in.
  const recover = (raw: Uint8Array) => pool.get(keccak256Hex(raw)) ?? recoverTransaction(raw);
  try {
    await chain.importBlock(blockOfPayload(request, params, recover));
    return { status: "valid" };
  } catch (error) {
    if (error instanceof PayloadError || error instanceof InvalidBlockError) {
      return { status: "invalid", reason: error.message };
    }
    throw error;
  }
}

function setForkchoice(chain: ExecutionChain, update: ForkchoiceUpdate): ForkchoiceVerdict {
  const known = (hash: Hash) => (hash === ZERO_HASH ? chain.genesisHash : hash);
  const isSet = chain.setForkchoice({
    head: known(update.head),
    safe: known(update.safe),
    finalized: known(update.finalized),
  });
  return { status: isSet ? "valid" : "syncing" };
}

function buildPayload(
  { chain, params, pool, nowMs }: ExecutionServiceOptions,
  attributes: PayloadAttributes,
): BuiltPayload {
  const { parentHash } = attributes;
  const parent = chain.canExtend(parentHash) ? chain.blocks.get(parentHash) : undefined;
  if (parent === undefined) throw new PortError({ code: "PARENT_UNKNOWN", parentHash });
  const deadlineMs = nowMs() + attributes.budgetMs;
  const { block, requests, receipts } = chain.build(
    parent,
    { ...attributes, withdrawals: attributes.withdrawals.map(toVmWithdrawal) },
    pool.best(nextBaseFee(parent.header)),
    () => nowMs() >= deadlineMs,
  );
  const baseFee = block.header.baseFeePerGas ?? 0n;
  const tipOf = (gasUsed: bigint, price: bigint) => gasUsed * (price - baseFee);
  const tipsWei = receipts.reduce((sum, r) => sum + tipOf(r.gasUsed, r.effectiveGasPrice), 0n);
  return { payload: payloadOfBlock(block), requests: decodeRequests(requests, params), tipsWei };
}
