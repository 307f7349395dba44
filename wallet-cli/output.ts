/** Data goes to stdout, everything a person reads besides goes to stderr. */
import { formatUnits, NATIVE_DECIMALS } from "../primitives/units.ts";

/** Prints the answer of a command: as JSON with --json, else as the given lines. */
export function printResult(isJson: boolean, value: unknown, lines: readonly string[]): void {
  process.stdout.write(isJson ? `${toJson(value)}\n` : `${lines.join("\n")}\n`);
}

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Integers beyond 2^53 as decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, member) => (typeof member === "bigint" ? member.toString() : member));
}

export function formatJur(wei: bigint): string {
  return `${formatUnits(wei, NATIVE_DECIMALS)} JUR`;
}

/** A decoded value on one line. */
export function formatValue(value: unknown): string {
  return typeof value === "string" || typeof value === "bigint" || typeof value === "number"
    ? String(value)
    : toJson(value);
}
