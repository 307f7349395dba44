/** The world state while a block executes: every change can be undone to a checkpoint. See specs/vm/state.md#journal. */
import { type Address, EMPTY_BYTES, type Hash, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { keccak256 } from "../../primitives/hash.ts";
import type { Log } from "../block.ts";
import type { AccessListEntry } from "../transaction.ts";
import type { Account, StateReader } from "./account.ts";
import { EMPTY_CODE_HASH, isEmptyAccount, NO_ACCOUNT } from "./account-codec.ts";
import { TransactionScope, type UndoLog } from "./transaction-scope.ts";

/** What executing code may read and do. Nothing here charges gas or checks rules; callers do. */
export interface Journal {
  /** Whether the account is there and not empty in the sense of EIP-161. */
  exists(address: Address): boolean;
  balance(address: Address): bigint;
  nonce(address: Address): bigint;
  codeHash(address: Address): Hash;
  code(address: Address): Uint8Array;
  /** Whether the account had storage before the block (EIP-7610: nothing may be created there). */
  hasStorage(address: Address): boolean;
  /** @throws InvariantError when the result would be negative: callers check funds first. */
  addBalance(address: Address, amount: bigint): void;
  setNonce(address: Address, nonce: bigint): void;
  setCode(address: Address, code: Uint8Array): void;

  storage(address: Address, slot: Hash): bigint;
  /** The value at the start of the transaction, for EIP-2200 net metering. */
  originalStorage(address: Address, slot: Hash): bigint;
  setStorage(address: Address, slot: Hash, value: bigint): void;
  transientStorage(address: Address, slot: Hash): bigint;
  setTransientStorage(address: Address, slot: Hash, value: bigint): void;

  /** EIP-2929: marks it accessed and says whether it already was. Undone by a revert. */
  touchAddress(address: Address): boolean;
  touchSlot(address: Address, slot: Hash): boolean;
  /** The same for code, which many accounts may have: whether the transaction has entered it before. */
  touchCode(codeHash: Hash): boolean;
  addRefund(gas: number): void;
  addLog(log: Log): void;

  /** Undoes everything since the checkpoint it returned. Checkpoints nest. */
  checkpoint(): number;
  revertTo(checkpoint: number): void;
}

/** The journal as whoever executes the block sees it. */
export interface BlockJournal extends Journal {
  /** Forgets what lives no longer than a transaction; what it changed in the world stays for good. */
  beginTransaction(): void;
  /** Addresses that are warm until the transaction ends, whatever is reverted. */
  keepWarm(addresses: { has(address: Address): boolean }): void;
  /** Of the current transaction. */
  refund(): number;
  logs(): readonly Log[];
  /** Every address and slot that is warm. */
  accessList(): readonly AccessListEntry[];
  /** Every address and slot touched, also by what was reverted since; for `eth_createAccessList`. */
  touchedList(): readonly AccessListEntry[];
  /** What is different from the state the journal began with. */
  changes(): StateChanges;
}

export type AccountChange = {
  readonly before: Account | undefined;
  /** Null when the account is removed. Its storage root is for whoever computes roots. */
  readonly after: Omit<Account, "storageRoot"> | null;
  readonly slots: ReadonlyMap<Hash, bigint>;
};

export type StateChanges = {
  readonly accounts: ReadonlyMap<Address, AccountChange>;
  readonly codes: ReadonlyMap<Hash, Uint8Array>;
};

type SlotRecord = { readonly atBlockStart: bigint; original: bigint; value: bigint };
type AccountRecord = {
  readonly before: Account | undefined;
  nonce: bigint;
  balance: bigint;
  codeHash: Hash;
  isTouched: boolean;
  readonly slots: Map<Hash, SlotRecord>;
};

/** A journal over the state that `reader` answers for; the reader is never written to. */
export function createJournal(reader: StateReader): BlockJournal {
  return new ReaderJournal(reader);
}

class ReaderJournal implements BlockJournal {
  readonly #reader: StateReader;
  readonly #accounts = new Map<Address, AccountRecord>();
  readonly #codes = new Map<Hash, Uint8Array>();
  readonly #undo: UndoLog = [];
  readonly #written = new Set<SlotRecord>();
  #scope = new TransactionScope(this.#undo);

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  exists(address: Address): boolean {
    return !isEmptyAccount(this.#account(address));
  }
  balance(address: Address): bigint {
    return this.#account(address).balance;
  }
  nonce(address: Address): bigint {
    return this.#account(address).nonce;
  }
  codeHash(address: Address): Hash {
    return this.#account(address).codeHash;
  }

  code(address: Address): Uint8Array {
    const { codeHash } = this.#account(address);
    if (codeHash === EMPTY_CODE_HASH) return EMPTY_BYTES;
    const code = this.#codes.get(codeHash) ?? this.#reader.code(codeHash);
    assert(code !== undefined, `code ${codeHash} of ${address} is stored`);
    return code;
  }

  addBalance(address: Address, amount: bigint): void {
    const account = this.#touch(address);
    const balance = account.balance + amount;
    assert(balance >= 0n, `the balance of ${address} stays positive`);
    account.balance = balance;
    this.#undo.push(() => {
      account.balance -= amount;
    });
  }

  setNonce(address: Address, nonce: bigint): void {
    const account = this.#touch(address);
    const previous = account.nonce;
    account.nonce = nonce;
    this.#undo.push(() => {
      account.nonce = previous;
    });
  }

  setCode(address: Address, code: Uint8Array): void {
    const account = this.#touch(address);
    const previous = account.codeHash;
    account.codeHash = toHex(keccak256(code));
    this.#codes.set(account.codeHash, code);
    this.#undo.push(() => {
      account.codeHash = previous;
    });
  }

  hasStorage(address: Address): boolean {
    const { storageRoot } = this.#account(address).before ?? NO_ACCOUNT;
    return storageRoot !== NO_ACCOUNT.storageRoot;
  }
  storage(address: Address, slot: Hash): bigint {
    return this.#slot(address, slot).value;
  }
  originalStorage(address: Address, slot: Hash): bigint {
    return this.#slot(address, slot).original;
  }

  setStorage(address: Address, slot: Hash, value: bigint): void {
    const record = this.#slot(address, slot);
    const previous = record.value;
    record.value = value;
    this.#written.add(record);
    this.#touch(address);
    this.#undo.push(() => {
      record.value = previous;
    });
  }

  transientStorage(address: Address, slot: Hash): bigint {
    return this.#scope.transientStorage(address, slot);
  }
  setTransientStorage(address: Address, slot: Hash, value: bigint): void {
    this.#scope.setTransientStorage(address, slot, value);
  }
  touchAddress(address: Address): boolean {
    return this.#scope.touchAddress(address);
  }
  touchSlot(address: Address, slot: Hash): boolean {
    return this.#scope.touchSlot(address, slot);
  }
  touchCode(codeHash: Hash): boolean {
    return this.#scope.touchCode(codeHash);
  }
  addRefund(gas: number): void {
    this.#scope.addRefund(gas);
  }
  addLog(log: Log): void {
    this.#scope.addLog(log);
  }

  checkpoint(): number {
    return this.#undo.length;
  }
  revertTo(checkpoint: number): void {
    while (this.#undo.length > checkpoint) this.#undo.pop()?.();
  }

  beginTransaction(): void {
    this.#undo.length = 0;
    for (const record of this.#written) record.original = record.value;
    this.#written.clear();
    this.#scope = new TransactionScope(this.#undo);
  }
  keepWarm(addresses: { has(address: Address): boolean }): void {
    this.#scope.alwaysWarm = addresses;
  }
  refund(): number {
    return this.#scope.refund;
  }
  logs(): readonly Log[] {
    return this.#scope.logs;
  }
  accessList(): readonly AccessListEntry[] {
    return this.#scope.accessList();
  }
  touchedList(): readonly AccessListEntry[] {
    return this.#scope.touchedList();
  }

  changes(): StateChanges {
    const accounts = new Map<Address, AccountChange>();
    const codes = new Map<Hash, Uint8Array>();
    for (const [address, record] of this.#accounts) {
      const change = record.isTouched ? changeOf(record) : undefined;
      if (change === undefined) continue;
      accounts.set(address, change);
      const code = this.#codes.get(record.codeHash);
      if (code !== undefined && change.after !== null) codes.set(record.codeHash, code);
    }
    return { accounts, codes };
  }

  #account(address: Address): AccountRecord {
    const known = this.#accounts.get(address);
    if (known !== undefined) return known;
    const before = this.#reader.account(address);
    const { nonce, balance, codeHash } = before ?? NO_ACCOUNT;
    const record = { before, nonce, balance, codeHash, isTouched: false, slots: new Map() };
    this.#accounts.set(address, record);
    return record;
  }

  #touch(address: Address): AccountRecord {
    const account = this.#account(address);
    if (!account.isTouched) {
      account.isTouched = true;
      this.#undo.push(() => {
        account.isTouched = false;
      });
    }
    return account;
  }

  #slot(address: Address, slot: Hash): SlotRecord {
    const { before, slots } = this.#account(address);
    const known = slots.get(slot);
    if (known !== undefined) return known;
    const value = before === undefined ? 0n : this.#reader.storage(address, slot);
    const record = { atBlockStart: value, original: value, value };
    slots.set(slot, record);
    return record;
  }
}

/** Undefined when the touched account is as it was. */
function changeOf(record: AccountRecord): AccountChange | undefined {
  const { before, nonce, balance, codeHash } = record;
  if (isEmptyAccount(record)) {
    return before === undefined ? undefined : { before, after: null, slots: new Map() };
  }
  const slots = new Map<Hash, bigint>();
  for (const [slot, { atBlockStart, value }] of record.slots) {
    if (value !== atBlockStart) slots.set(slot, value);
  }
  const isSame = before?.nonce === nonce && before.balance === balance && before.codeHash === codeHash;
  return isSame && slots.size === 0 ? undefined : { before, after: { nonce, balance, codeHash }, slots };
}
