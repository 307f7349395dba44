/** What the methods for contract authors ask of a development chain, besides ChainView. See specs/rpc/development.md. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { UnsignedTransaction } from "../vm/transaction-codec.ts";

/** A change to one account that no transaction of a user could make. */
export type StateEdit =
  | { readonly kind: "balance"; readonly address: Address; readonly balance: bigint }
  | { readonly kind: "nonce"; readonly address: Address; readonly nonce: bigint }
  | { readonly kind: "code"; readonly address: Address; readonly code: Uint8Array }
  | { readonly kind: "storage"; readonly address: Address; readonly slot: Hash; readonly value: Hash };

export interface DevelopmentChain {
  /** Accounts whose keys the node has; it sends for them and for those it impersonates. */
  accounts(): readonly Address[];
  impersonate(address: Address): void;
  stopImpersonating(address: Address): void;
  /**
   * Signs for `from`, or does as if, and puts the transaction into the pool.
   * @throws TransactionRejected; RpcError when nobody can send for that account.
   */
  send(from: Address, transaction: UnsignedTransaction): Promise<Hash>;

  /** Blocks with what the pool has, `intervalSeconds` apart, or a second at least when that is undefined. */
  mine(blocks: number, intervalSeconds: number | undefined): Promise<void>;
  /** Seconds since 1970, of the next block mined. @throws RpcError when it is not after the head's. */
  setNextBlockTimestamp(timestamp: number): void;
  /** Moves the clock of the chain forward. Returns by how much it is ahead of the wall's, in seconds. */
  increaseTime(seconds: number): number;
  isAutomining(): boolean;
  /** Whether a transaction is mined as it comes. */
  setAutomine(isOn: boolean): Promise<void>;
  /** A block every so many seconds, and none by transactions; 0 ends that. */
  setIntervalMining(seconds: number): void;

  /** Remembers the head and the clock. Returns what `revert` takes, from 1. */
  snapshot(): number;
  /** Goes back to a snapshot and forgets it and all later ones; false when there is no such snapshot. */
  revert(snapshot: number): Promise<boolean>;
  /** Goes back to genesis, and the clock to the wall's; nothing is remembered. */
  reset(): Promise<void>;
  /** A block with the change and nothing else. @throws RpcError when the state forbids it. */
  edit(edit: StateEdit): Promise<void>;
  /** Forgets all transactions that wait. */
  dropTransactions(): void;
}
