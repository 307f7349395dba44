/** Amounts of money as they are typed on a command line. */
import { parseUnits } from "../primitives/units.ts";
import { WalletError } from "./wallet-error.ts";

const UNIT_DECIMALS: Readonly<Record<string, number>> = { wei: 0, gwei: 9, ether: 18, jur: 18 };

/** An amount in wei: `1000` is wei as in cast; `1.5jur`, `1ether` and `3gwei` carry their unit. */
export function parseAmount(text: string): bigint {
  const match = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim());
  const decimals = UNIT_DECIMALS[(match?.[2] || "wei").toLowerCase()];
  if (match?.[1] === undefined || decimals === undefined) {
    throw new WalletError("usage", `"${text}" is no amount: write 1.5jur, 3gwei or a number of wei`);
  }
  try {
    return parseUnits(match[1], decimals);
  } catch (cause) {
    throw new WalletError("usage", `"${text}" is no amount: it has more digits than the unit allows`, {
      cause,
    });
  }
}
