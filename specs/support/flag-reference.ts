/** The reference of all flags of all programs, from what the programs themselves know: specs/flags.md. */
import { homedir } from "node:os";
import type { Argument, Command, Option } from "commander";
import { createProgram as createNodeProgram } from "../../node/program.ts";
import { environmentName } from "../../node/settings.ts";
import { createTestnetCommand } from "../../testnet/options.ts";
import { createProgram as createWalletProgram } from "../../wallet-cli/program.ts";
import { DB_NOTHING } from "./no-db-actions.ts";

const HEAD = `# Flags

Written by \`npm run reference\`; a spec holds it to what the programs say. What \`jurat run\` takes may also stand in the
environment and in a file: [settings](node/settings.md).
`;

export function renderFlagReference(): string {
  const nothing = async () => undefined;
  const programs = [
    createNodeProgram({
      environment: {},
      run: nothing,
      dev: nothing,
      genesis: { make: nothing, check: nothing },
      saveCheckpoint: async () => undefined,
      interchange: { import: async () => undefined, export: async () => undefined },
      db: DB_NOTHING,
      signer: async () => undefined,
    }),
    createTestnetCommand(),
    createWalletProgram(),
  ];
  return `${[HEAD, ...programs.flatMap((program) => sectionsOf(program, ""))].join("\n")}`;
}

/** A command without flags of its own is one line; its aliases and its hidden options are left to --help. */
function sectionsOf(command: Command, parent: string): readonly string[] {
  const name = `${parent}${command.name()}`;
  const level = parent === "" ? "##" : "###";
  const usage = [name, ...command.registeredArguments.map(argumentText)].join(" ");
  const own = [`${level} ${usage}\n`, `${sentence(command.description())}\n`, tableOf(command, name)];
  return [
    own.filter((part) => part !== "").join("\n"),
    ...command.commands.flatMap((child) => sectionsOf(child, `${name} `)),
  ];
}

function argumentText(argument: Argument): string {
  const text = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${text}>` : `[${text}]`;
}

function tableOf(command: Command, name: string): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  if (options.length === 0) return "";
  const isSettings = name === "jurat run";
  const head = isSettings ? ["flag", "environment", "meaning", "default"] : ["flag", "meaning", "default"];
  const rows = options.map((option) => {
    const environment = isSettings ? [code(environmentName(option.long?.slice(2) ?? ""))] : [];
    return [code(option.flags), ...environment, escaped(meaningOf(option)), defaultOf(option)];
  });
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

function meaningOf({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description} (${argChoices.join(", ")})`;
}

function defaultOf({ defaultValue }: Option): string {
  if (defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0)) return "";
  const text = Array.isArray(defaultValue) ? defaultValue.join(" ") : String(defaultValue);
  return code(text.replace(homedir(), "~"));
}

const code = (text: string) => `\`${escaped(text)}\``;
const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
