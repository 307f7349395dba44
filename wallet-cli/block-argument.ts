/** A block as it is typed, in the forms JSON-RPC takes. */
import { quantity } from "./quantity.ts";
import { WalletError } from "./wallet-error.ts";

const TAGS: readonly string[] = ["latest", "safe", "finalized", "earliest", "pending"];

/** A tag, a quantity, or a hash as EIP-1898 writes it. @throws WalletError (usage) */
export function parseBlock(text: string): string | { readonly blockHash: string } {
  if (TAGS.includes(text)) return text;
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return { blockHash: text };
  if (/^(\d{1,15}|0x[0-9a-fA-F]{1,13})$/.test(text)) return quantity(Number(text));
  throw new WalletError("usage", `"${text}" is no block: ${TAGS.join(", ")}, a number or a hash`);
}
