/** Accounts of the head, decoded once while it is the head: balances and nonces are asked for again and again. See specs/node/execution.md#accounts-of-the-head. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Account, StateReader } from "../../vm/state/account.ts";

/** Accounts kept; beyond it the memory starts anew. */
const ACCOUNTS_LIMIT = 16_384;

export class HeadAccounts {
  #head: Hash | undefined;
  readonly #accounts = new Map<Address, Account | undefined>();

  /**
   * `state`, with the accounts looked up so far. A block's state never changes, so what was read once
   * under this hash stays true.
   */
  over(head: Hash, state: StateReader): StateReader {
    if (head !== this.#head || this.#accounts.size >= ACCOUNTS_LIMIT) {
      this.#head = head;
      this.#accounts.clear();
    }
    return {
      account: (address) => this.#account(head, address, state),
      storage: (address, slot) => state.storage(address, slot),
      code: (codeHash) => state.code(codeHash),
    };
  }

  #account(head: Hash, address: Address, state: StateReader): Account | undefined {
    const known = this.#accounts.get(address);
    if (head !== this.#head) return state.account(address);
    if (known !== undefined || this.#accounts.has(address)) return known;
    const account = state.account(address);
    this.#accounts.set(address, account);
    return account;
  }
}
