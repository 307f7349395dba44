/** The accounts a run looked at or changed. See specs/vm/tracing.md#prestatetracer. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { Account, StateReader } from "../state/account.ts";
import { EMPTY_CODE_HASH, NO_ACCOUNT } from "../state/account-codec.ts";
import { type AccountChange, type BlockJournal, createJournal } from "../state/journal.ts";
import type { Trace, TracedAccount, TracedAccounts } from "./trace.ts";
import type { Tracer } from "./tracer.ts";

/** A journal reads each account and slot once: what it read is what the run looked at, reverted parts included. */
export class PrestateTracer implements Tracer {
  readonly #diffMode: boolean;
  readonly #accounts = new Map<Address, Account | undefined>();
  readonly #slots = new Map<Address, Map<Hash, bigint>>();
  #state: StateReader | undefined;
  #journal: BlockJournal | undefined;

  constructor(diffMode: boolean) {
    this.#diffMode = diffMode;
  }

  begin(state: StateReader): BlockJournal {
    this.#state = state;
    this.#journal = createJournal({
      account: (address) => {
        const account = state.account(address);
        this.#accounts.set(address, account);
        return account;
      },
      storage: (address, slot) => {
        const value = state.storage(address, slot);
        const slots = this.#slots.get(address) ?? new Map<Hash, bigint>();
        this.#slots.set(address, slots.set(slot, value));
        return value;
      },
      code: (codeHash) => state.code(codeHash),
    });
    return this.#journal;
  }

  onEnter(): void {}
  onExit(): void {}

  finish(): Trace {
    return this.#diffMode ? this.#difference() : { kind: "prestate", accounts: this.#prestate() };
  }

  #prestate(): TracedAccounts {
    return new Map(
      Array.from(this.#accounts, ([address, account]) => {
        const storage = this.#slots.get(address) ?? new Map();
        return [address, this.#whole(account, storage)];
      }),
    );
  }

  #difference(): Trace {
    assert(this.#journal !== undefined, "a run begins before it ends");
    const before = new Map<Address, TracedAccount>();
    const after = new Map<Address, TracedAccount>();
    const { accounts, codes } = this.#journal.changes();
    for (const [address, change] of accounts) {
      const isCreated = change.before === undefined && change.after?.codeHash !== EMPTY_CODE_HASH;
      if (!isCreated) before.set(address, this.#whole(change.before, this.#changedSlots(address, change)));
      if (change.after !== null) after.set(address, changedFields(change, codes));
    }
    return { kind: "difference", before, after };
  }

  /** What the changed slots held, but for empty ones. */
  #changedSlots(address: Address, { slots }: AccountChange): ReadonlyMap<Hash, bigint> {
    const known = this.#slots.get(address);
    const values = [...slots.keys()].map((slot) => [slot, known?.get(slot) ?? 0n] as const);
    return new Map(values.filter(([, value]) => value !== 0n));
  }

  /** Fields that are zero or empty are left out, but for the balance. */
  #whole(account: Account | undefined, storage: ReadonlyMap<Hash, bigint>): TracedAccount {
    const { balance, nonce, codeHash } = account ?? NO_ACCOUNT;
    const code = codeHash === EMPTY_CODE_HASH ? undefined : this.#state?.code(codeHash);
    return { balance, ...(nonce > 0n && { nonce }), ...(code !== undefined && { code }), storage };
  }
}

/** Slots that were emptied are left out. */
function changedFields(
  { before, after, slots }: AccountChange,
  codes: ReadonlyMap<Hash, Uint8Array>,
): TracedAccount {
  assert(after !== null, "the account is still there");
  const { balance, nonce, codeHash } = before ?? NO_ACCOUNT;
  const code = codes.get(after.codeHash);
  return {
    ...(after.balance !== balance && { balance: after.balance }),
    ...(after.nonce !== nonce && { nonce: after.nonce }),
    ...(after.codeHash !== codeHash && code !== undefined && { code }),
    storage: new Map([...slots].filter(([, value]) => value !== 0n)),
  };
}
