/** Money as people write it. The chain counts wei (execution) and Gwei (consensus). */
import { CodedError } from "./errors.ts";

export const WEI_PER_GWEI = 1_000_000_000n;
/** Decimals of the native unit, JUR. */
export const NATIVE_DECIMALS = 18;

export class AmountError extends CodedError<{
  readonly code: "AMOUNT_NOT_A_NUMBER" | "AMOUNT_TOO_PRECISE";
  readonly text: string;
  readonly decimals: number;
}> {}

const AMOUNT_PATTERN = /^(\d{1,78})(?:\.(\d{1,78}))?$/;

/**
 * "1.5" with 18 decimals is 1500000000000000000n. No sign, no exponent, no rounding.
 * @throws AmountError
 */
export function parseUnits(text: string, decimals: number): bigint {
  const match = AMOUNT_PATTERN.exec(text.trim());
  if (match === null)
    throw new AmountError({ code: "AMOUNT_NOT_A_NUMBER", text: text.slice(0, 80), decimals });
  const [, whole = "0", fraction = ""] = match;
  if (fraction.length > decimals) throw new AmountError({ code: "AMOUNT_TOO_PRECISE", text, decimals });
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

/** The shortest exact spelling: 1500000000000000000n with 18 decimals is "1.5". */
export function formatUnits(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return sign + (fraction === "" ? whole : `${whole}.${fraction}`);
}
