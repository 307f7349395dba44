/** Data goes to stdout, everything a person reads besides goes to stderr. */
import { formatUnits, NATIVE_DECIMALS } from "../primitives/units.ts";

/** Prints the answer of a command: as JSON with --json, else as the given lines. */
export function printResult(isJson: boolean, value: unknown, lines: readonly string[]): void {
  if (isJson) process.stdout.write(`${toJson(value)}\n`);
  else if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}

export function note(line: string): void {
  clearProgress();
  process.stderr.write(`${line}\n`);
}

let progressLine = "";

/** A line that the next one replaces. Where stderr is no terminal there is none: a log wants what happened only. */
export function showProgress(line: string): void {
  if (line === progressLine || !process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[2K${line}`);
  progressLine = line;
}

function clearProgress(): void {
  if (progressLine !== "") process.stderr.write("\r\x1b[2K");
  progressLine = "";
}

const COLOUR_CODES = { dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Colours are for a terminal, and off with NO_COLOR (no-color.org: set to anything but the empty text). */
export function paint(colour: keyof typeof COLOUR_CODES, text: string): string {
  const isOn = process.stderr.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  return isOn ? `\x1b[${COLOUR_CODES[colour]}m${text}\x1b[0m` : text;
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
