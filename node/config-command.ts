/** `jurat config`: what `jurat run` would run with, and where each setting comes from. See specs/node/settings.md. */
import type { Command } from "commander";
import { addRunFlags } from "./config.ts";
import { applySettings, type Environment, nameOf, settingsOf, sourceOf } from "./settings.ts";

export function addConfigCommand(
  program: Command,
  environment: Environment,
  write: (text: string) => void,
): void {
  const command = program
    .command("config")
    .description("print every setting of run with its source, from the same flags, environment and file");
  addRunFlags(command);
  command.option("--json", "as one JSON object", false).action(async (flags: { readonly json: boolean }) => {
    await applySettings(command, environment);
    const rows = settingsOf(command).map((option) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      return { name: nameOf(option), value, source: sourceOf(command, option) };
    });
    if (flags.json) {
      const entries = rows.map(({ name, value, source }) => [name, { value, source }]);
      write(`${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
      return;
    }
    const cells = rows.map(({ name, value, source }) => [name, textOf(value), source] as const);
    const width = (column: 0 | 1) => Math.max(...cells.map((row) => row[column].length));
    for (const [name, value, source] of cells) {
      write(`${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${source}\n`);
    }
  });
}

/** As it would be typed. */
function textOf(value: unknown): string {
  if (value === undefined) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.join(" ");
  if (typeof value === "object" && value !== null) return Object.values(value).join("-");
  return String(value);
}
