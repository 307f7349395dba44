/** Whether a transaction may enter the pool. See specs/node/mempool.md#admission. */
import { TransactionRejected } from "../../rpc/chain-view.ts";
import type { Account } from "../../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { checkStatelessRules, tipCap } from "../../vm/transaction-rules.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { findByNonce, type PoolEntry, type SenderQueue } from "./pool.ts";
import { toRejection } from "./rejection.ts";

/** A replacement must raise both fee caps by this much, in percent; geth's, so that wallets know it. */
export const PRICE_BUMP_PERCENT = 10n;

/**
 * Decodes a transaction and recovers its sender: the expensive check, and the only one gossip may
 * blame a peer for besides the chain id.
 * @throws TransactionRejected
 */
export function recoverOrReject(raw: Uint8Array): RecoveredTransaction {
  try {
    return recoverTransaction(raw);
  } catch (error) {
    throw toRejection(error);
  }
}

/** Rules that need no account. @throws TransactionRejected */
export function checkStateless(
  { transaction }: RecoveredTransaction,
  chainId: bigint,
  blockGasLimit: bigint,
  minimumTip: bigint,
): void {
  try {
    checkStatelessRules(transaction, chainId);
  } catch (error) {
    throw toRejection(error);
  }
  if (transaction.gasLimit > blockGasLimit) throw new TransactionRejected("exceeds block gas limit");
  const tip = tipCap(transaction);
  if (tip < minimumTip) {
    throw new TransactionRejected(
      "transaction underpriced",
      `gas tip cap ${tip}, minimum needed ${minimumTip}`,
    );
  }
}

/** Rules of the sender's account alone. A nonce above the account's is no error here: it may queue. */
export function checkSender(
  { transaction }: RecoveredTransaction,
  account: Account,
  allowsContract: boolean,
): void {
  if (transaction.nonce < account.nonce) {
    throw new TransactionRejected(
      "nonce too low",
      `next nonce ${account.nonce}, tx nonce ${transaction.nonce}`,
    );
  }
  // EIP-3607: a key that collides with a contract's address must not spend for it.
  if (account.codeHash !== EMPTY_CODE_HASH && !allowsContract)
    throw new TransactionRejected("sender not an eoa");
}

/**
 * Rules about the sender's other transactions: funds for all of them, no far gap, a real raise.
 * @returns the entry it replaces, if there is one with its nonce.
 * @throws TransactionRejected
 */
export function checkAgainstPool(
  entry: PoolEntry,
  queue: SenderQueue | undefined,
  { nonce, balance }: Account,
  perSender: number,
): PoolEntry | undefined {
  if (entry.nonce >= nonce + BigInt(perSender)) {
    throw new TransactionRejected("gapped-nonce transaction beyond the pool's limit");
  }
  if (balance < entry.cost) {
    throw insufficientFunds(`balance ${balance}, tx cost ${entry.cost}, overshot ${entry.cost - balance}`);
  }
  if (queue === undefined) return undefined;
  const replaced = findByNonce(queue, entry.nonce);
  const queuedCost = queue.cost - (replaced?.cost ?? 0n);
  if (balance < queuedCost + entry.cost) {
    const overshot = queuedCost + entry.cost - balance;
    throw insufficientFunds(
      `balance ${balance}, queued cost ${queuedCost}, tx cost ${entry.cost}, overshot ${overshot}`,
    );
  }
  if (replaced !== undefined && !isRaised(entry, replaced)) {
    throw new TransactionRejected("replacement transaction underpriced");
  }
  return replaced;
}

function insufficientFunds(figures: string): TransactionRejected {
  return new TransactionRejected("insufficient funds for gas * price + value", figures);
}

function isRaised(entry: PoolEntry, replaced: PoolEntry): boolean {
  const factor = 100n + PRICE_BUMP_PERCENT;
  return (
    entry.feeCap * 100n >= replaced.feeCap * factor &&
    entry.tipCap * 100n >= replaced.tipCap * factor &&
    entry.feeCap > replaced.feeCap &&
    entry.tipCap > replaced.tipCap
  );
}
