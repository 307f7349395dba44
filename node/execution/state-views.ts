/** States of blocks with what was read of them kept: calls on the same block read the same things. See specs/node/calls.md#warm-states. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { Account, StateReader } from "../../vm/state/account.ts";

/** Blocks whose states are kept warm; nearly all calls are on the head. */
const VIEWS_LIMIT = 4;
/** Accounts and words kept of one block; beyond it the memory starts anew. */
const ENTRIES_LIMIT = 16_384;
/** Bytes of contract code kept of one block. */
const CODE_LIMIT_BYTES = 16 * 1024 * 1024;

/** A block's state never changes, so what was read once under its hash stays true. */
export class StateViews {
  readonly #views = new Map<Hash, StateReader>();

  get(blockHash: Hash): StateReader | undefined {
    return this.#views.get(blockHash);
  }

  /** The state to read through from now on. */
  add(blockHash: Hash, state: StateReader): StateReader {
    const view = warm(state);
    this.#views.set(blockHash, view);
    const oldest = this.#views.keys().next().value;
    if (this.#views.size > VIEWS_LIMIT && oldest !== undefined) this.#views.delete(oldest);
    return view;
  }

  /** Gives up what lies below the views, such as layers that are on disk by now. */
  clear(): void {
    this.#views.clear();
  }
}

function warm(state: StateReader): StateReader {
  const accounts = new Map<Address, Account | undefined>();
  const words = new Map<Address, Map<Hash, bigint>>();
  const codes = new Map<Hash, Uint8Array | undefined>();
  let wordsKept = 0;
  let codeBytes = 0;

  function wordsOf(address: Address): Map<Hash, bigint> {
    const known = words.get(address) ?? new Map<Hash, bigint>();
    words.set(address, known);
    return known;
  }

  return {
    account(address) {
      const known = accounts.get(address);
      if (known !== undefined || accounts.has(address)) return known;
      if (accounts.size >= ENTRIES_LIMIT) accounts.clear();
      const account = state.account(address);
      accounts.set(address, account);
      return account;
    },
    storage(address, slot) {
      const known = words.get(address)?.get(slot);
      if (known !== undefined) return known;
      if (wordsKept >= ENTRIES_LIMIT) {
        words.clear();
        wordsKept = 0;
      }
      const word = state.storage(address, slot);
      wordsOf(address).set(slot, word);
      wordsKept++;
      return word;
    },
    code(codeHash) {
      const known = codes.get(codeHash);
      if (known !== undefined) return known;
      const code = state.code(codeHash);
      if (codeBytes >= CODE_LIMIT_BYTES) {
        codes.clear();
        codeBytes = 0;
      }
      codes.set(codeHash, code);
      codeBytes += code?.length ?? 0;
      return code;
    },
  };
}
