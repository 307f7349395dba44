/** The node's log: one readable line on a terminal, one JSON object per line for machines. */
import { type Logger, pino } from "pino";

export type { Logger };
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything goes to stderr: stdout belongs to what a command was asked to print. */
export function createLog(options: { readonly level: LogLevel; readonly json: boolean }): Logger {
  const write = options.json ? writeJson : writeReadable;
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
}

function writeJson(line: string): void {
  process.stderr.write(line);
}

function writeReadable(line: string): void {
  process.stderr.write(readableLine(line));
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 40: "WARN ", 50: "ERROR ", 60: "FATAL " };

/** `15:04:05.123 WARN message  name value  name value`. Exported for its spec. */
export function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const values = Object.entries(fields).map(([name, value]) => `  ${name} ${readableValue(value)}`);
  return `${clock} ${LEVEL_NAMES[Number(level)] ?? ""}${String(msg)}${values.join("")}\n`;
}

function readableValue(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const error = value as { readonly type?: string; readonly message?: string; readonly stack?: string };
    return error.stack === undefined ? JSON.stringify(value) : `${error.type}: ${error.message}`;
  }
  const text = String(value);
  return /^0x[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 10)}…` : text;
}
