/** The node's log: one readable line on a terminal, one JSON object per line for machines. See specs/node/log.md. */
import { type Logger, pino } from "pino";
import { assert } from "../primitives/errors.ts";

export type { Logger };
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Parts of the node that may be louder or quieter than the rest. */
export const LOG_MODULES = ["network", "sync", "validator", "execution", "rpc"] as const;
export type LogModule = (typeof LOG_MODULES)[number];
export type LogLevels = {
  readonly level: LogLevel;
  readonly modules: Readonly<Partial<Record<LogModule, LogLevel>>>;
};

/** Names whose values never reach a log, wherever in a logged object they stand. */
const SECRET_NAMES = [
  "secretKey",
  "privateKey",
  "password",
  "passphrase",
  "mnemonic",
  "token",
  "authorization",
];

/** `info,network=debug`: the level of everything, then of some modules. Undefined when it cannot be read. */
export function parseLogLevels(text: string): LogLevels | undefined {
  const [level = "", ...rest] = text.split(",");
  const modules = rest.map((part) => part.split("="));
  const isRight = modules.every(([name, value, ...more]) => {
    return more.length === 0 && isOneOf(LOG_MODULES, name) && isOneOf(LOG_LEVELS, value);
  });
  return isRight && isOneOf(LOG_LEVELS, level)
    ? { level, modules: Object.fromEntries(modules) as LogLevels["modules"] }
    : undefined;
}

function isOneOf<T extends string>(names: readonly T[], name: string | undefined): name is T {
  return (names as readonly (string | undefined)[]).includes(name);
}

export type LogOptions = { readonly levels: LogLevels; readonly json: boolean };

/** @param config with levels that were checked when they were read. */
export function logOptionsOf(config: { readonly logLevel: string; readonly logJson: boolean }): LogOptions {
  const levels = parseLogLevels(config.logLevel);
  assert(levels !== undefined, "the flag was checked");
  return { levels, json: config.logJson };
}

/** Everything goes to stderr: stdout belongs to what a command was asked to print. */
export function createLog(options: LogOptions, write = options.json ? writeJson : writeReadable): Logger {
  const redacted = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    {
      level: options.levels.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: redacted, censor: "(secret)" },
    },
    { write },
  );
}

/** The log of one part of the node, at its own level. */
export function moduleLog(log: Logger, module: LogModule, { level, modules }: LogLevels): Logger {
  return log.child({ module }, { level: modules[module] ?? level });
}

function writeJson(line: string): void {
  process.stderr.write(line);
}

function writeReadable(line: string): void {
  process.stderr.write(readableLine(line));
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 40: "WARN ", 50: "ERROR ", 60: "FATAL " };

/** `15:04:05.123 WARN [module] message  name value  name value`. Exported for its spec. */
export function readableLine(json: string): string {
  const { level, time, msg, module, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const part = module === undefined ? "" : `[${String(module)}] `;
  const values = Object.entries(fields).map(([name, value]) => `  ${name} ${readableValue(value)}`);
  return `${clock} ${LEVEL_NAMES[Number(level)] ?? ""}${part}${String(msg)}${values.join("")}\n`;
}

function readableValue(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const error = value as { readonly type?: string; readonly message?: string; readonly stack?: string };
    return error.stack === undefined ? JSON.stringify(value) : `${error.type}: ${error.message}`;
  }
  const text = String(value);
  return /^0x[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 10)}…` : text;
}
