/** Gas of reading and writing state, which depends on what the transaction did before. See specs/vm/gas.md#state-access. */
import type { Address, Hash } from "../primitives/bytes.ts";
import { GAS } from "./gas.ts";
import type { Journal } from "./state/journal.ts";

/** Gas of reading an account, which becomes warm (EIP-2929). */
export function touchAccountGas(journal: Journal, address: Address): number {
  return journal.touchAddress(address) ? GAS.warmAccess : GAS.coldAccount;
}

/** Gas of reading a slot, which becomes warm (EIP-2929). */
export function loadGas(journal: Journal, address: Address, slot: Hash): number {
  return journal.touchSlot(address, slot) ? GAS.warmAccess : GAS.coldSlot;
}

/** What writing a word costs, and by how much it changes the transaction's refund. */
export type StoreCost = { readonly gas: number; readonly refund: number };

/**
 * Net metering of a write (EIP-2200 with the values of EIP-2929 and EIP-3529); the slot becomes warm.
 *
 * The caller first refuses the write when it has GAS.storageSentry or less left, then charges `gas`, then
 * writes and adds `refund`.
 */
export function storeCost(journal: Journal, address: Address, slot: Hash, value: bigint): StoreCost {
  const coldGas = journal.touchSlot(address, slot) ? 0 : GAS.coldSlot;
  const current = journal.storage(address, slot);
  const original = journal.originalStorage(address, slot);
  if (value === current) return { gas: coldGas + GAS.warmAccess, refund: 0 };
  if (current !== original) {
    return { gas: coldGas + GAS.warmAccess, refund: dirtyRefund(original, current, value) };
  }
  if (original === 0n) return { gas: coldGas + GAS.storageSet, refund: 0 };
  return { gas: coldGas + GAS.storageReset, refund: value === 0n ? GAS.storageClearRefund : 0 };
}

/** A slot this transaction already changed: earlier refunds are taken back or given as the net effect asks. */
function dirtyRefund(original: bigint, current: bigint, value: bigint): number {
  let refund = 0;
  if (original !== 0n) {
    if (current === 0n) refund -= GAS.storageClearRefund;
    if (value === 0n) refund += GAS.storageClearRefund;
  }
  if (value === original) refund += (original === 0n ? GAS.storageSet : GAS.storageReset) - GAS.warmAccess;
  return refund;
}
