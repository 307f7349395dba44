/** Transactions and accounts for specs of the pool: unsigned, since the pool takes senders as checked. */
import type { PoolHead } from "../../node/execution/mempool.ts";
import { type Address, type Hash, toHash } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { Block } from "../../vm/block.ts";
import type { Account, StateReader } from "../../vm/state/account.ts";
import { NO_ACCOUNT } from "../../vm/state/account-codec.ts";
import type { DynamicFeeTransaction, RecoveredTransaction } from "../../vm/transaction.ts";
import { encodeTransaction } from "../../vm/transaction-codec.ts";

export const POOL_CHAIN_ID = 2718n;
export const GWEI = 1_000_000_000n;

/** The i-th account. */
export function account(index: number): Address {
  return `0x${index.toString(16).padStart(40, "0")}`;
}

/** A transfer of the sender; `fee` and `tip` in wei per gas. */
export function transfer(
  sender: Address,
  nonce: number | bigint,
  fields: Partial<DynamicFeeTransaction> = {},
): RecoveredTransaction {
  const transaction: DynamicFeeTransaction = {
    type: 2,
    chainId: POOL_CHAIN_ID,
    nonce: BigInt(nonce),
    gasLimit: 21_000n,
    to: account(0xffff),
    value: 0n,
    data: new Uint8Array(0),
    maxFeePerGas: 10n * GWEI,
    maxPriorityFeePerGas: GWEI,
    accessList: [],
    yParity: 0,
    // Takes the place of the signature in making the hash the sender's own.
    r: BigInt(sender),
    s: 1n,
    ...fields,
  };
  const raw = encodeTransaction(transaction);
  return { transaction, sender, raw, hash: keccak256Hex(raw) };
}

/** A head over a changeable table of accounts. */
export function poolHead(accounts: Map<Address, Partial<Account>>, number = 1, nextBaseFee = GWEI): PoolHead {
  const state: StateReader = {
    account: (address) => {
      const found = accounts.get(address);
      return found === undefined ? undefined : { ...NO_ACCOUNT, ...found };
    },
    storage: () => 0n,
    code: () => undefined,
  };
  return { header: { number, gasLimit: 30_000_000n }, state, nextBaseFee };
}

/** A block as the pool sees it: only its transactions matter. */
export function blockOf(number: number, transactions: readonly RecoveredTransaction[]): Block {
  const hash: Hash = toHash(BigInt(number));
  return { hash, header: { number } as Block["header"], transactions, withdrawals: [] };
}
