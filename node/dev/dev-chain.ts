/** A chain for authors of contracts: it mines when asked, and goes back when asked. See specs/node/dev.md. */
import { type Address, fromHex, type Hash, ZERO_ADDRESS, ZERO_HASH } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { DevelopmentChain, StateEdit } from "../../rpc/development-chain.ts";
import { serverError } from "../../rpc/rpc-errors.ts";
import { nextBaseFee } from "../../vm/base-fee.ts";
import type { Block } from "../../vm/block.ts";
import type { TransactionSource } from "../../vm/build-payload.ts";
import { GAS_LIMIT_DEFAULT } from "../../vm/chain-config.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { UnsignedTransaction } from "../../vm/transaction-codec.ts";
import type { ExecutionChain } from "../execution/execution-chain.ts";
import type { NodePool } from "../execution/node-pool.ts";
import { type ClockState, DevClock } from "./dev-clock.ts";
import { Senders, unsignedFrom } from "./senders.ts";
import { EDITOR_ADDRESS, EDITS_ADDRESS, encodeEdit } from "./state-edits.ts";

export type DevChainOptions = {
  readonly chain: ExecutionChain;
  readonly pool: NodePool;
  /** Seconds between blocks; undefined to mine transactions as they come. */
  readonly blockTimeSeconds: number | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
  /** A block that was due by the clock could not be mined. */
  readonly onFault: (error: unknown) => void;
};

type Snapshot = { readonly head: Hash; readonly clock: ClockState };
type Mining = { readonly isAutomatic: boolean; readonly intervalSeconds: number };

/** Snapshots kept; the oldest are forgotten. */
const SNAPSHOTS_LIMIT = 10_000;
/** What an edit may use: setting the largest code is the most expensive. */
const EDIT_GAS = 5_000_000n;

export class DevChain implements DevelopmentChain {
  readonly #options: DevChainOptions;
  readonly #chain: ExecutionChain;
  readonly #pool: NodePool;
  readonly #senders = new Senders();
  readonly #clock: DevClock;
  readonly #snapshots = new Map<number, Snapshot>();
  #lastSnapshot = 0;
  #mining: Mining;
  #cancelTimer: (() => void) | undefined;
  /** What changes the chain waits here for what changes it already. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: DevChainOptions) {
    this.#options = options;
    this.#chain = options.chain;
    this.#pool = options.pool;
    this.#clock = new DevClock(options.nowMs);
    this.#mining = this.#initialMining();
    this.#startTimer();
  }

  accounts(): readonly Address[] {
    return this.#senders.accounts();
  }
  impersonate(address: Address): void {
    this.#senders.impersonate(address);
  }
  stopImpersonating(address: Address): void {
    this.#senders.stopImpersonating(address);
  }

  async send(from: Address, unsigned: UnsignedTransaction): Promise<Hash> {
    const recovered = this.#senders.sign(from, unsigned);
    this.#pool.submitRecovered(recovered);
    await this.onSubmitted();
    return recovered.hash;
  }

  /** A transaction came into the pool. Resolves when it is mined, if it is to be at once. */
  async onSubmitted(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#mining.isAutomatic && this.#pool.status().pending > 0) await this.#mineOne(false);
    });
  }

  mine(blocks: number, intervalSeconds: number | undefined): Promise<void> {
    return this.#inTurn(async () => {
      for (let mined = 0; mined < blocks; mined++) {
        if (mined > 0 && intervalSeconds !== undefined && intervalSeconds > 0) {
          this.#clock.setNext(this.#headTime() + intervalSeconds, this.#headTime());
        }
        await this.#mineOne(true);
      }
    });
  }

  setNextBlockTimestamp(timestamp: number): void {
    this.#clock.setNext(timestamp, this.#headTime());
  }
  increaseTime(seconds: number): number {
    return this.#clock.increase(seconds);
  }

  isAutomining(): boolean {
    return this.#mining.isAutomatic;
  }
  async setAutomine(isOn: boolean): Promise<void> {
    this.#setMining({ ...this.#mining, isAutomatic: isOn });
    await this.onSubmitted();
  }
  setIntervalMining(seconds: number): void {
    this.#setMining({ isAutomatic: false, intervalSeconds: seconds });
  }

  snapshot(): number {
    this.#snapshots.set(++this.#lastSnapshot, { head: this.#chain.head().hash, clock: this.#clock.state });
    this.#snapshots.delete(this.#lastSnapshot - SNAPSHOTS_LIMIT);
    return this.#lastSnapshot;
  }

  revert(snapshot: number): Promise<boolean> {
    return this.#inTurn(async () => {
      const wanted = this.#snapshots.get(snapshot);
      if (wanted === undefined) return false;
      for (const id of this.#snapshots.keys()) if (id >= snapshot) this.#snapshots.delete(id);
      this.#goTo(wanted.head);
      this.#clock.restore(wanted.clock);
      return true;
    });
  }

  reset(): Promise<void> {
    return this.#inTurn(async () => {
      this.#snapshots.clear();
      this.#senders.stopAll();
      this.#goTo(this.#chain.genesisHash);
      this.#clock.restore({ ahead: 0, next: undefined });
      this.#setMining(this.#initialMining());
    });
  }

  edit(edit: StateEdit): Promise<void> {
    return this.#inTurn(async () => {
      const source = sourceOf([this.#editTransaction(edit)]);
      const block = this.#build(source, this.#clock.now(this.#headTime()));
      await this.#chain.importBlock(block);
      const succeeded = this.#chain.blocks.receipts(block.hash)?.[0]?.succeeded;
      if (succeeded !== true) {
        throw serverError(`the ${edit.kind} cannot be set: a contract's nonce is at least 1`);
      }
      this.#goTo(block.hash);
      this.#pool.refresh(edit.address);
    });
  }

  dropTransactions(): void {
    this.#pool.clear();
  }

  /** Resolves when what was under way is done; nothing is mined from then on. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    await this.#turn;
  }

  async #mineOne(mayBeEmpty: boolean): Promise<void> {
    const timestamp = this.#clock.next(this.#headTime());
    const source = this.#pool.best(nextBaseFee(this.#chain.head().header));
    const block = this.#build(source, timestamp);
    // What cannot pay the base fee stays in the pool, and no block is made for it.
    if (block.transactions.length === 0 && !mayBeEmpty) return;
    await this.#chain.importBlock(block);
    this.#clock.onMined(timestamp);
    this.#goTo(block.hash);
  }

  #build(source: TransactionSource, timestamp: number): Block {
    const parent = this.#chain.head();
    const attributes = {
      timestamp,
      prevRandao: keccak256Hex(fromHex(parent.hash)),
      feeRecipient: ZERO_ADDRESS,
      parentBeaconBlockRoot: ZERO_HASH,
      withdrawals: [],
      gasLimitTarget: GAS_LIMIT_DEFAULT,
    };
    return this.#chain.build(parent, attributes, source, () => false).block;
  }

  #editTransaction(edit: StateEdit): RecoveredTransaction {
    const head = this.#chain.head();
    return unsignedFrom(EDITOR_ADDRESS, {
      type: 2,
      chainId: this.#chain.config.chainId,
      nonce: this.#chain.stateAt(head.hash)?.account(EDITOR_ADDRESS)?.nonce ?? 0n,
      gasLimit: EDIT_GAS,
      to: EDITS_ADDRESS,
      value: 0n,
      data: encodeEdit(edit),
      maxFeePerGas: nextBaseFee(head.header),
      maxPriorityFeePerGas: 0n,
      accessList: [],
    });
  }

  /** Nothing is merged: any block may be gone back to. */
  #goTo(head: Hash): void {
    const { genesisHash } = this.#chain;
    this.#chain.setForkchoice({ head, safe: genesisHash, finalized: genesisHash });
  }

  #headTime(): number {
    return this.#chain.head().header.timestamp;
  }

  #initialMining(): Mining {
    const { blockTimeSeconds } = this.#options;
    return { isAutomatic: blockTimeSeconds === undefined, intervalSeconds: blockTimeSeconds ?? 0 };
  }

  #setMining(mining: Mining): void {
    this.#mining = mining;
    this.#startTimer();
  }

  #startTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { intervalSeconds } = this.#mining;
    if (intervalSeconds === 0) return;
    this.#cancelTimer = this.#options.setTimer(() => {
      this.#startTimer();
      this.mine(1, undefined).catch(this.#options.onFault);
    }, intervalSeconds * 1000);
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function sourceOf(transactions: readonly RecoveredTransaction[]): TransactionSource {
  let at = 0;
  return { next: () => transactions[at++], skipSender: () => undefined };
}
