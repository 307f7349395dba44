/** Transactions travel in batches: a message costs as much as a hundred transactions. See specs/network/gossip.md#transactions */
import { ByteListType, ListCompositeType } from "@chainsafe/ssz";
import { assert } from "../../primitives/errors.ts";

/** One encoded transaction (EIP-2718), as long as the pool accepts. */
export const MAX_TRANSACTION_BYTES = 131_072;
/** What a receiver decodes in one message. */
export const MAX_BATCH_TRANSACTIONS = 1024;
/** What a sender puts into one message. */
const FULL_BATCH_TRANSACTIONS = 100;
const FULL_BATCH_BYTES = 256 << 10;
/** How long the first transaction of a batch waits for company. */
const BATCH_WAIT_MS = 5;

const TransactionBatch = new ListCompositeType(
  new ByteListType(MAX_TRANSACTION_BYTES),
  MAX_BATCH_TRANSACTIONS,
);

/** @throws Error when the bytes are not a batch. */
export function decodeTransactionBatch(data: Uint8Array): Uint8Array[] {
  return TransactionBatch.deserialize(data);
}

export function encodeTransactionBatch(transactions: readonly Uint8Array[]): Uint8Array {
  return TransactionBatch.serialize([...transactions]);
}

/** Collects transactions and publishes them when the batch is full or the first has waited long enough. */
export class TransactionBatcher {
  readonly #publish: (batch: Uint8Array) => void;
  #batch: Uint8Array[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: (batch: Uint8Array) => void) {
    this.#publish = publish;
  }

  add(transaction: Uint8Array): void {
    assert(transaction.length <= MAX_TRANSACTION_BYTES, "the pool holds no oversized transaction");
    if (this.#bytes + transaction.length > FULL_BATCH_BYTES) this.flush();
    this.#batch.push(transaction);
    this.#bytes += transaction.length;
    if (this.#batch.length >= FULL_BATCH_TRANSACTIONS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_WAIT_MS);
  }

  /** Publishes what is waiting. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch.length === 0) return;
    const batch = encodeTransactionBatch(this.#batch);
    this.#batch = [];
    this.#bytes = 0;
    this.#publish(batch);
  }

  /** Drops what is waiting. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#batch = [];
  }
}
