/** Where each setting comes from: flags before the environment before a file. See specs/node/settings.md. */
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, type Option } from "commander";
import { nearestName } from "./nearest-name.ts";

/** Begins the name of every environment variable that is a setting. */
export const ENVIRONMENT_PREFIX = "JURAT_NODE_";
/** Longest file read, in bytes: settings are a page, and a mistyped path may name anything. */
const FILE_LIMIT_BYTES = 1 << 20;

export type Environment = Readonly<Record<string, string | undefined>>;
export type SettingSource = "flag" | "environment" | "file" | "default" | "unset";

/** `--rpc-port` is JURAT_NODE_RPC_PORT in the environment and rpc-port in a file. */
export function environmentName(setting: string): string {
  return ENVIRONMENT_PREFIX + setting.toUpperCase().replaceAll("-", "_");
}

/** The flags that are settings: all but those that say what to do with them. */
export function settingsOf(command: Command): readonly Option[] {
  return command.options.filter(({ long }) => long !== "--json" && long !== "--config");
}

export function nameOf(option: Option): string {
  return option.long?.slice(2) ?? "";
}

/**
 * Completes the parsed flags of `command` from the environment, then from the file that --config or
 * JURAT_NODE_CONFIG names. What is unknown or cannot be read ends the command, with a suggestion where there is one.
 */
export async function applySettings(command: Command, environment: Environment): Promise<void> {
  const file = command.getOptionValue("config") ?? environment[environmentName("config")];
  if (typeof file === "string" && file !== "") await applyFile(command, file);
  applyEnvironment(command, environment);
}

/** Of a setting after `applySettings`. */
export function sourceOf(command: Command, option: Option): SettingSource {
  switch (command.getOptionValueSource(option.attributeName())) {
    case "cli":
      return "flag";
    case "env":
      return "environment";
    case "config":
      return "file";
    case undefined:
      return "unset";
    default:
      return "default";
  }
}

async function applyFile(command: Command, path: string): Promise<void> {
  const settings = await readSettings(command, path);
  const known = new Map(settingsOf(command).map((option) => [nameOf(option), option]));
  for (const [name, value] of Object.entries(settings)) {
    const option = known.get(name);
    if (option === undefined) refuse(command, `${path}: unknown setting ${name}`, name, [...known.keys()]);
    const texts = (Array.isArray(value) ? value : [value]).map((item) => {
      if (!["string", "number", "boolean"].includes(typeof item)) {
        command.error(`error: ${path}: ${name} is neither text, a number, true, false nor a list of them`);
      }
      return String(item);
    });
    assign(command, option, texts, "config", `${path}: ${name}`);
  }
}

/** YAML, and so JSON too. */
async function readSettings(command: Command, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_LIMIT_BYTES) command.error(`error: ${path} is too long to hold settings`);
    value = parse(bytes.toString("utf8"), { logLevel: "error" }) ?? {};
  } catch (error) {
    if (error instanceof Error && error.name === "CommanderError") throw error;
    command.error(
      `error: cannot read the settings in ${path}: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    command.error(`error: ${path} holds no settings: expected lines such as "rpc-port: 8545"`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function applyEnvironment(command: Command, environment: Environment): void {
  const known = new Map(settingsOf(command).map((option) => [environmentName(nameOf(option)), option]));
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || value === undefined) continue;
    if (name === environmentName("config")) continue;
    const option = known.get(name);
    if (option === undefined)
      refuse(command, `unknown environment variable ${name}`, name, [...known.keys()]);
    const texts = option.variadic ? value.split(/[\s,]+/).filter((text) => text !== "") : [value];
    assign(command, option, texts, "env", name);
  }
}

/** A flag given on the command line stays; one that is no setting of it ends the command. */
function assign(
  command: Command,
  option: Option,
  texts: readonly string[],
  source: "env" | "config",
  where: string,
): void {
  const key = option.attributeName();
  const values = texts.map((text) => readValue(command, option, text, where));
  if (!option.variadic && values.length !== 1) command.error(`error: ${where}: expected one value`);
  if (command.getOptionValueSource(key) === "cli") return;
  command.setOptionValueWithSource(key, option.variadic ? values : values[0], source);
}

function readValue(command: Command, option: Option, text: string, where: string): unknown {
  if (option.isBoolean()) {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    command.error(`error: ${where}: expected true or false, not "${text}"`);
  }
  if (option.parseArg === undefined || option.variadic) return text;
  try {
    return option.parseArg(text, undefined);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    command.error(`error: ${where} is invalid: ${error.message}`);
  }
}

function refuse(command: Command, what: string, typed: string, names: readonly string[]): never {
  const meant = nearestName(typed, names);
  command.error(`error: ${what}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`);
}
