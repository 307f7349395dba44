/** Senders of our users' transactions: those that arrive together are recovered side by side. See specs/node/mempool.md#recovery. */
import { keccak256Hex } from "../../primitives/hash.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { decodeTransaction } from "../../vm/transaction-codec.ts";
import { recoverOrReject } from "./admission.ts";
import type { RecoverTask } from "./call-tasks.ts";
import type { Calls } from "./calls.ts";

/** What the call workers do for it. */
export type RecoveryHelpers = Pick<Calls, "run"> & {
  /** Tasks that are not done: nobody waits behind a call for a sender. */
  waiting(): number;
  /** How many there are. */
  readonly count: number;
};

type Waiting = {
  readonly raw: Uint8Array;
  readonly resolve: (recovered: RecoveredTransaction) => void;
  readonly reject: (reason: unknown) => void;
};

/** A recovery is most of what admission costs; what gathers while one batch is worked at is the next. */
export class SenderRecovery {
  readonly #helpers: RecoveryHelpers;
  #gathered: Waiting[] = [];
  #isRunning = false;

  constructor(helpers: RecoveryHelpers) {
    this.#helpers = helpers;
  }

  /** Resolves in the order of the calls. Rejects with TransactionRejected. */
  readonly recover = (raw: Uint8Array): Promise<RecoveredTransaction> =>
    new Promise((resolve, reject) => {
      this.#gathered.push({ raw, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      setImmediate(() => void this.#runAll());
    });

  async #runAll(): Promise<void> {
    while (this.#gathered.length > 0) {
      const batch = this.#gathered;
      this.#gathered = [];
      await this.#run(batch);
    }
    this.#isRunning = false;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    // Each helper gets as many as this thread keeps.
    const { count } = this.#helpers;
    const shares = this.#helpers.waiting() === 0 ? count + 1 : 1;
    const size = Math.ceil(batch.length / shares);
    const handedOut: Promise<Recovered[]>[] = [];
    for (let at = size; at < batch.length; at += size)
      handedOut.push(this.#handOut(batch.slice(at, at + size)));
    const own = batch.slice(0, size).map(({ raw }) => attempt(raw, undefined));
    const recovered = [...own, ...(await Promise.all(handedOut)).flat()];
    for (const [index, { resolve, reject }] of batch.entries()) {
      const one = recovered[index];
      if (one === undefined || "refused" in one) reject(one?.refused);
      else resolve(one.transaction);
    }
  }

  async #handOut(share: readonly Waiting[]): Promise<Recovered[]> {
    const task: RecoverTask = { kind: "recover", raws: share.map(({ raw }) => raw) };
    // A worker that died or was busy after all recovered nothing; then it is done here.
    const senders = await this.#helpers.run(task).catch(() => []);
    return share.map(({ raw }, index) => attempt(raw, senders[index]));
  }
}

type Recovered = { readonly transaction: RecoveredTransaction } | { readonly refused: unknown };

/** @param sender undefined when it is not known: then this finds it, or says why there is none. */
function attempt(raw: Uint8Array, sender: RecoveredTransaction["sender"] | undefined): Recovered {
  try {
    if (sender === undefined) return { transaction: recoverOrReject(raw) };
    return { transaction: { transaction: decodeTransaction(raw), hash: keccak256Hex(raw), sender, raw } };
  } catch (refused) {
    return { refused };
  }
}
