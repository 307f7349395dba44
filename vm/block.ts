/** The data of an Ethereum block as plain values: header, transactions, receipts. See specs/vm/block.md. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { RecoveredTransaction } from "./transaction.ts";

/**
 * An Ethereum header. The optional fields appeared with London (base fee), Shanghai (withdrawals),
 * Cancun (blobs, beacon root) and Prague (requests); every block of this chain has all of them.
 */
export type Header = {
  readonly parentHash: Hash;
  readonly ommersHash: Hash;
  readonly feeRecipient: Address;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  /** 256 bytes. */
  readonly logsBloom: Uint8Array;
  /** 0 under proof of stake. */
  readonly difficulty: bigint;
  readonly number: number;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly extraData: Uint8Array;
  /** mixHash: the RANDAO mix under proof of stake (EIP-4399). */
  readonly prevRandao: Hash;
  /** 8 bytes, zero under proof of stake. */
  readonly nonce: Uint8Array;
  readonly baseFeePerGas?: bigint;
  readonly withdrawalsRoot?: Hash;
  readonly blobGasUsed?: bigint;
  readonly excessBlobGas?: bigint;
  readonly parentBeaconBlockRoot?: Hash;
  readonly requestsHash?: Hash;
};

/** EIP-4895. The amount is in Gwei. */
export type Withdrawal = {
  readonly index: bigint;
  readonly validatorIndex: bigint;
  readonly address: Address;
  readonly amountGwei: bigint;
};

export type Block = {
  readonly hash: Hash;
  readonly header: Header;
  readonly transactions: readonly RecoveredTransaction[];
  readonly withdrawals: readonly Withdrawal[];
};

export type Log = {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Uint8Array;
};

/** What the receipts trie commits to. */
export type Receipt = {
  readonly type: 0 | 1 | 2;
  /** EIP-658: whether execution succeeded. */
  readonly succeeded: boolean;
  readonly cumulativeGasUsed: bigint;
  readonly logsBloom: Uint8Array;
  readonly logs: readonly Log[];
};

/** A receipt and what is derived while executing but not committed to. */
export type ExecutedReceipt = Receipt & {
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly contractAddress?: Address;
};
