/** The world state while a block executes: every change can be undone to a checkpoint. See specs/vm/state.md. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Log } from "../block.ts";

/** What executing code may read and do. Nothing here charges gas or checks rules; callers do. */
export interface Journal {
  exists(address: Address): boolean;
  balance(address: Address): bigint;
  nonce(address: Address): bigint;
  codeHash(address: Address): Hash;
  code(address: Address): Uint8Array;
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
  addRefund(gas: number): void;
  addLog(log: Log): void;

  /** Undoes everything since the checkpoint it returned. Checkpoints nest. */
  checkpoint(): number;
  revertTo(checkpoint: number): void;
}
