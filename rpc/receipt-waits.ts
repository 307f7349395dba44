/** Requests that wait until their transaction is in a block. See specs/rpc/methods.md#transactions. */
import type { Hash } from "../primitives/bytes.ts";
import type { ChainView, HeadChange } from "./chain-view.ts";
import { ERROR_CODES, RpcError } from "./rpc-errors.ts";
import type { RpcLimits } from "./rpc-limits.ts";

/** Calls back once, after `delayMs`. Returns the function that cancels. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void;

export type ReceiptWait = {
  /** Resolves when a canonical block holds the transaction, when the time is over, or when it is cancelled. */
  readonly ended: Promise<void>;
  cancel(): void;
};

export type ReceiptWaits = {
  /**
   * To be called before the transaction can be in a block, or its block may be missed.
   * @throws RpcError -32005 when too many wait.
   */
  begin(hash: Hash, timeoutMs: number): ReceiptWait;
  /** Stops listening to the chain and ends every wait. */
  close(): void;
};

type Waiting = { readonly hash: Hash; end(): void };

export function createReceiptWaits(chain: ChainView, limits: RpcLimits, setTimer: SetTimer): ReceiptWaits {
  const waiting = new Set<Waiting>();

  function onHead({ added }: HeadChange): void {
    if (waiting.size === 0) return;
    const mined = new Set(added.flatMap(({ transactions }) => transactions.map(({ hash }) => hash)));
    for (const one of waiting) if (mined.has(one.hash)) one.end();
  }

  const unsubscribe = chain.subscribe({ onHead, onPendingTransaction: () => undefined });

  function begin(hash: Hash, timeoutMs: number): ReceiptWait {
    if (waiting.size >= limits.receiptWaits) {
      throw new RpcError(ERROR_CODES.limitExceeded, "too many requests wait for receipts");
    }
    let resolve = (): void => undefined;
    const ended = new Promise<void>((end) => {
      resolve = end;
    });
    const one: Waiting = {
      hash,
      end() {
        cancelTimer();
        waiting.delete(one);
        resolve();
      },
    };
    const cancelTimer = setTimer(one.end, timeoutMs);
    waiting.add(one);
    return { ended, cancel: one.end };
  }

  function close(): void {
    unsubscribe();
    for (const one of waiting) one.end();
  }

  return { begin, close };
}
