/** A state with some accounts changed for one call, as eth_call's overrides ask. See specs/vm/state.md#overrides. */
import { type Address, type Hash, toHex } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import type { StateReader } from "./account.ts";
import { NO_ACCOUNT } from "./account-codec.ts";

/** What replaces an account's own; what is absent stays. */
export type AccountOverride = {
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** Replaces the whole storage. */
  readonly state?: ReadonlyMap<Hash, bigint>;
  /** Replaces single slots. */
  readonly stateDiff?: ReadonlyMap<Hash, bigint>;
};

/** `state` with the overrides on top. It answers reads only: no root can be computed from it. */
export function overrideState(
  state: StateReader,
  overrides: ReadonlyMap<Address, AccountOverride>,
): StateReader {
  if (overrides.size === 0) return state;
  const codes = new Map<Hash, Uint8Array>();
  for (const { code } of overrides.values()) if (code !== undefined) codes.set(hashOf(code), code);
  return {
    account(address) {
      const account = state.account(address);
      const override = overrides.get(address);
      if (override === undefined) return account;
      const { balance, nonce, code } = override;
      return {
        ...(account ?? NO_ACCOUNT),
        ...(balance !== undefined && { balance }),
        ...(nonce !== undefined && { nonce }),
        ...(code !== undefined && { codeHash: hashOf(code) }),
      };
    },
    storage(address, slot) {
      const override = overrides.get(address);
      const replaced = override?.stateDiff?.get(slot) ?? override?.state?.get(slot);
      if (replaced !== undefined) return replaced;
      return override?.state === undefined ? state.storage(address, slot) : 0n;
    },
    code: (codeHash) => codes.get(codeHash) ?? state.code(codeHash),
  };
}

function hashOf(code: Uint8Array): Hash {
  return toHex(keccak256(code));
}
