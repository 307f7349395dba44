/** What lives no longer than a transaction: access sets, transient storage, refund, logs. See specs/vm/state.md#transaction-scope. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Log } from "../block.ts";
import type { AccessListEntry } from "../transaction.ts";

/** Functions that take back one change each, newest last. */
export type UndoLog = (() => void)[];

export class TransactionScope {
  readonly #undo: UndoLog;
  readonly #touched = new Map<Address, Set<Hash>>();
  readonly #transient = new Map<Address, Map<Hash, bigint>>();
  readonly logs: Log[] = [];
  refund = 0;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  touchAddress(address: Address): boolean {
    if (this.#touched.has(address)) return true;
    this.#touched.set(address, new Set());
    this.#undo.push(() => this.#touched.delete(address));
    return false;
  }

  touchSlot(address: Address, slot: Hash): boolean {
    const known = this.#touched.get(address);
    if (known?.has(slot) === true) return true;
    this.touchAddress(address);
    const slots = this.#touched.get(address);
    slots?.add(slot);
    this.#undo.push(() => slots?.delete(slot));
    return false;
  }

  accessList(): readonly AccessListEntry[] {
    return [...this.#touched].map(([address, slots]) => ({ address, storageKeys: [...slots] }));
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
