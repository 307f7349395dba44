/** Integers as JSON-RPC writes them. */
import type { Hex } from "../primitives/bytes.ts";
import { WalletError } from "./wallet-error.ts";

/** Hex without leading zeros. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`;
}

/** A 256-bit word from decimal or hex digits. @throws WalletError (usage) */
export function parseWord(text: string): Hex {
  if (/^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) {
    const value = BigInt(text);
    if (value < 1n << 256n) return `0x${value.toString(16).padStart(64, "0")}`;
  }
  throw new WalletError("usage", `"${text}" is no storage slot: decimal or 0x hex, below 2^256`);
}
