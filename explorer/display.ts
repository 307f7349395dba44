/** How values look to a person: amounts, ages, shortened hashes. */
import type { Hex } from "./node/objects.ts";

const WEI_PER_JUR = 10n ** 18n;
const GWEI_PER_JUR = 10n ** 9n;
/** Digits shown after the point; more is noise on a screen and stands in the title. */
const SHOWN_DECIMALS = 6;

export const NATIVE_UNIT = "JUR";

/** `wei` in JUR, cut to six decimals. */
export function formatJur(wei: bigint): string {
  return `${formatUnits(wei, 18, SHOWN_DECIMALS)} ${NATIVE_UNIT}`;
}

/** A whole number of smallest units with the point `decimals` places from the right. */
export function formatUnits(amount: bigint, decimals: number, shown = decimals): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits
    .slice(digits.length - decimals)
    .slice(0, shown)
    .replace(/0+$/, "");
  return `${sign}${groupThousands(whole)}${fraction === "" ? "" : `.${fraction}`}`;
}

export function gweiToWei(gwei: bigint): bigint {
  return gwei * (WEI_PER_JUR / GWEI_PER_JUR);
}

export function groupThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function formatCount(value: number | bigint): string {
  return groupThousands(String(value));
}

/** Six digits at each end: enough to tell apart, short enough for a row. */
export function shorten(hex: string): string {
  return hex.length <= 16 ? hex : `${hex.slice(0, 8)}…${hex.slice(-6)}`;
}

export function toNumber(quantity: Hex): number {
  return Number(BigInt(quantity));
}

/** How long ago, in the largest unit that fits. */
export function formatAge(seconds: number): string {
  if (seconds < 0) return "in a moment";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

export function formatTime(timestamp: number): string {
  return new Date(timestamp * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC");
}
