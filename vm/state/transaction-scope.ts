/** What lives no longer than a transaction: access sets, transient storage, refund, logs. See specs/vm/state.md#transaction-scope. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Log } from "../block.ts";
import type { AccessListEntry } from "../transaction.ts";

/** Functions that take back one change each, newest last. */
export type UndoLog = (() => void)[];

/** What was touched in an account: whether it is warm, and each of its slots. */
type TouchedAccount = { isWarm: boolean; slots: Map<Hash, boolean> | undefined };

/** Codes that one transaction keeps warm: no more than a node has room for in memory. */
export const WARM_CODES_LIMIT = 64;

const NO_SLOTS: ReadonlyMap<Hash, boolean> = new Map();

export class TransactionScope {
  readonly #undo: UndoLog;
  readonly #touched = new Map<Address, TouchedAccount>();
  readonly #codes = new Set<Hash>();
  readonly #transient = new Map<Address, Map<Hash, bigint>>();
  readonly logs: Log[] = [];
  refund = 0;
  /** Warm whatever happens, without being touched: to touch nine precompiles costs as much as a small contract. */
  alwaysWarm: { has(address: Address): boolean } = NO_SLOTS;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  touchAddress(address: Address): boolean {
    const account = this.#account(address);
    if (account.isWarm) return true;
    account.isWarm = true;
    this.#undo.push(() => {
      account.isWarm = false;
    });
    return false;
  }

  touchSlot(address: Address, slot: Hash): boolean {
    const account = this.#account(address);
    account.slots ??= new Map();
    const { slots } = account;
    if (slots.get(slot) === true) return true;
    this.touchAddress(address);
    slots.set(slot, true);
    this.#undo.push(() => slots.set(slot, false));
    return false;
  }

  touchCode(codeHash: Hash): boolean {
    if (this.#codes.has(codeHash)) return true;
    if (this.#codes.size >= WARM_CODES_LIMIT) return false;
    this.#codes.add(codeHash);
    this.#undo.push(() => this.#codes.delete(codeHash));
    return false;
  }

  #account(address: Address): TouchedAccount {
    const known = this.#touched.get(address);
    if (known !== undefined) return known;
    const account = { isWarm: this.alwaysWarm.has(address), slots: undefined };
    this.#touched.set(address, account);
    return account;
  }

  /** What is warm now. */
  accessList(): readonly AccessListEntry[] {
    return [...this.#touched]
      .filter(([, { isWarm }]) => isWarm)
      .map(([address, { slots }]) => ({
        address,
        storageKeys: [...(slots ?? NO_SLOTS)].filter(([, isWarm]) => isWarm).map(([slot]) => slot),
      }));
  }

  /** What was ever touched, also by what was reverted since. */
  touchedList(): readonly AccessListEntry[] {
    return [...this.#touched].map(([address, { slots }]) => ({
      address,
      storageKeys: [...(slots ?? NO_SLOTS).keys()],
    }));
  }

  transientStorage(address: Address, slot: Hash): bigint {
    return this.#transient.get(address)?.get(slot) ?? 0n;
  }

  setTransientStorage(address: Address, slot: Hash, value: bigint): void {
    const slots = this.#transient.get(address) ?? new Map<Hash, bigint>();
    const previous = slots.get(slot) ?? 0n;
    this.#transient.set(address, slots.set(slot, value));
    this.#undo.push(() => slots.set(slot, previous));
  }

  addRefund(gas: number): void {
    this.refund += gas;
    this.#undo.push(() => {
      this.refund -= gas;
    });
  }

  addLog(log: Log): void {
    this.logs.push(log);
    this.#undo.push(() => this.logs.pop());
  }
}
