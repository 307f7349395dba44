/** Whom a development chain sends for: accounts whose keys it has, and impersonated ones. See specs/node/dev.md#senders. */
import { type Address, fromHex } from "../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { serverError } from "../../rpc/rpc-errors.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { encodeTransaction, type UnsignedTransaction } from "../../vm/transaction-codec.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";

export class Senders {
  readonly #keys = new Map(
    deriveDevAccounts().map(({ address, privateKey }) => [address, fromHex(privateKey)] as const),
  );
  readonly #impersonated = new Set<Address>();

  accounts(): readonly Address[] {
    return [...this.#keys.keys(), ...this.#impersonated];
  }

  impersonate(address: Address): void {
    if (!this.#keys.has(address)) this.#impersonated.add(address);
  }

  stopImpersonating(address: Address): void {
    this.#impersonated.delete(address);
  }

  stopAll(): void {
    this.#impersonated.clear();
  }

  /** @throws RpcError when nobody can send for that account. */
  sign(from: Address, unsigned: UnsignedTransaction): RecoveredTransaction {
    const key = this.#keys.get(from);
    if (key !== undefined) return signTransaction(unsigned, key);
    if (!this.#impersonated.has(from)) throw serverError("unknown account");
    return unsignedFrom(from, unsigned);
  }
}

/**
 * A transaction nobody signed: in place of a signature it carries its sender, so that the same words of two
 * senders are two transactions. No node takes it from the wire, since no key recovers from it.
 */
export function unsignedFrom(sender: Address, unsigned: UnsignedTransaction): RecoveredTransaction {
  const transaction = { ...unsigned, yParity: 0 as const, r: BigInt(sender), s: 0n };
  const raw = encodeTransaction(transaction);
  return { transaction, hash: keccak256Hex(raw), sender, raw };
}
