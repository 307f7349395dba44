/** Transactions that peers send: whom to blame, what to forward, and how much work a peer may cause. See specs/node/mempool.md#gossip. */
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { type RejectionText, TransactionRejected } from "../../rpc/chain-view.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { decodeTransaction } from "../../vm/transaction-codec.ts";
import { recoverOrReject } from "./admission.ts";
import type { Mempool } from "./mempool.ts";
import type { GossipedTransactions } from "./port.ts";
import { toRejection } from "./rejection.ts";

/**
 * What the pool thinks of a gossiped transaction: `reject` blames whoever sent it, `ignore` blames
 * nobody and forwards nothing.
 */
export type GossipVerdict = "accept" | "ignore" | "reject";

/** What no honest node forwards: it needs no knowledge of the head to see. */
const BLAMEWORTHY: readonly RejectionText[] = [
  "undecodable transaction",
  "oversized data",
  "transaction type not supported",
  "invalid chain id for signer",
  "only replay-protected (EIP-155) transactions allowed over RPC",
  "invalid sender",
];

/** Hashes looked at lately are remembered in two generations of this size. */
const SEEN_GENERATION = 16_384;
/** Signature recoveries in a row before other work of the thread gets a turn: about 2 ms. */
const RECOVERIES_PER_TURN = 32;

export type RecoveryBudgetOptions = {
  /** Signature recoveries a peer may cause per second, on average and at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Peers remembered; beyond it the one not heard of for longest starts afresh. */
  readonly peers: number;
};

export const DEFAULT_RECOVERY_BUDGET: RecoveryBudgetOptions = { perSecond: 2000, burst: 8192, peers: 256 };

/** A token bucket per peer: recovering a signature is the one costly thing gossip can ask for. */
export class RecoveryBudget {
  readonly #options: RecoveryBudgetOptions;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  /** @param now milliseconds of a clock that never goes back. */
  constructor(options: RecoveryBudgetOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** Takes one recovery from the peer's budget, if there is one. */
  take(peer: string): boolean {
    const { perSecond, burst, peers } = this.#options;
    const now = this.#now();
    const known = this.#buckets.get(peer) ?? { tokens: burst, atMs: now };
    const tokens = Math.min(burst, known.tokens + ((now - known.atMs) * perSecond) / 1000);
    // Deleting first keeps the map in order of last use.
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { tokens: Math.max(0, tokens - 1), atMs: now });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > peers && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}

/** Hashes of transactions looked at lately, so that each costs one recovery however many peers send it. */
class SeenHashes {
  #current = new Set<Hash>();
  #previous = new Set<Hash>();

  has(hash: Hash): boolean {
    return this.#current.has(hash) || this.#previous.has(hash);
  }

  add(hash: Hash): void {
    if (this.#current.size >= SEEN_GENERATION) {
      this.#previous = this.#current;
      this.#current = new Set();
    }
    this.#current.add(hash);
  }
}

export type GossipAdmission = {
  readonly verdicts: readonly GossipVerdict[];
  /** What became executable in the pool. */
  readonly executable: readonly RecoveredTransaction[];
};

export class GossipAdmitter {
  readonly #mempool: Mempool;
  readonly #chainId: bigint;
  readonly #budget: RecoveryBudget;
  readonly #seen = new SeenHashes();

  constructor(mempool: Mempool, chainId: bigint, budget: RecoveryBudget) {
    this.#mempool = mempool;
    this.#chainId = chainId;
    this.#budget = budget;
  }

  /** One verdict per member of the batch. */
  async admit({ peer, raws }: GossipedTransactions): Promise<GossipAdmission> {
    const verdicts: GossipVerdict[] = [];
    const executable: RecoveredTransaction[] = [];
    let recoveries = 0;
    for (const raw of raws) {
      const hash = toHex(keccak256(raw));
      if (this.#seen.has(hash) || this.#mempool.get(hash) !== undefined) {
        verdicts.push("ignore");
        continue;
      }
      if (++recoveries % RECOVERIES_PER_TURN === 0) await turn();
      verdicts.push(this.#admitOne(peer, hash, raw, executable));
    }
    return { verdicts, executable };
  }

  #admitOne(peer: string, hash: Hash, raw: Uint8Array, executable: RecoveredTransaction[]): GossipVerdict {
    try {
      checkForm(raw, this.#chainId);
      // Not marked as seen: another peer, or this one later, may still pay for looking at it.
      if (!this.#budget.take(peer)) return "ignore";
      this.#seen.add(hash);
      executable.push(...this.#mempool.add(recoverOrReject(raw), "gossip"));
      return "accept";
    } catch (error) {
      if (!(error instanceof TransactionRejected)) throw error;
      return BLAMEWORTHY.includes(error.text) ? "reject" : "ignore";
    }
  }
}

/** The blame that costs no recovery: form and chain. @throws TransactionRejected */
function checkForm(raw: Uint8Array, chainId: bigint): void {
  let transaction: ReturnType<typeof decodeTransaction>;
  try {
    transaction = decodeTransaction(raw);
  } catch (error) {
    throw toRejection(error);
  }
  if (transaction.chainId !== chainId) throw new TransactionRejected("invalid chain id for signer");
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
