/** Completion scripts, made from the program's own commands. See specs/wallet/wallet.md#completion. */
import type { Command, Option } from "commander";
import type { CompletionFlags } from "../commands/settings.ts";
import { DEFAULT_KEY_FOLDER } from "../defaults.ts";
import { printResult } from "../output.ts";
import { WalletError } from "../wallet-error.ts";

type Word = { readonly text: string; readonly description: string };
/** What may follow a command: its commands and its flags. */
type Entry = {
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly flags: readonly (Word & { readonly takesValue: boolean })[];
};

/** Prints the script for one shell. @throws WalletError (usage) for another. */
export function completions(program: Command, shell: string, { json }: CompletionFlags): void {
  const script = scripts[shell as keyof typeof scripts];
  if (script === undefined) throw new WalletError("usage", `"${shell}" is no shell: bash, zsh or fish`);
  const text = script(entriesOf(program, []));
  printResult(json, { shell, script: text }, [text.trimEnd()]);
}

function entriesOf(command: Command, path: readonly string[]): readonly Entry[] {
  const children = command.commands.flatMap((child) =>
    [child.name(), ...child.aliases()].map((name) => ({ child, name })),
  );
  const entry = {
    path,
    commands: children.map(({ child, name }) => ({ text: name, description: oneLine(child.description()) })),
    flags: [...command.options.filter(({ hidden, long }) => long && !hidden), HELP].map((option) => ({
      text: option.long ?? "",
      description: oneLine(option.description),
      takesValue: option.required || option.optional,
    })),
  };
  return [entry, ...children.flatMap(({ child, name }) => entriesOf(child, [...path, name]))];
}

const HELP: Pick<Option, "long" | "description" | "required" | "optional"> = {
  ...{ long: "--help", description: "show the flags" },
  ...{ required: false, optional: false },
};

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** Commands that have commands of their own. */
function groupsOf(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.filter(({ path }) => path.length === 2).map(({ path }) => path[0] ?? ""))];
}

/** Flags whose value is an account, and what an account may be called in every shell. */
const ACCOUNT_FLAGS = ["--from", "--account", "--withdrawal-account"] as const;
const DEV_ACCOUNTS = Array.from({ length: 10 }, (_, index) => `dev:${index}`);
const KEY_FOLDER = `"\${ETH_KEYSTORE:-${DEFAULT_KEY_FOLDER}}"`;

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function bashScript(entries: readonly Entry[]): string {
  const wordsOf = ({ commands, flags }: Entry) => [...commands, ...flags].map(({ text }) => text).join(" ");
  return `# bash completion of jurat-wallet
_jurat_wallet() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" i
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    [[ "\${COMP_WORDS[i]}" == -* ]] && break
    [[ $i == 2 && ! "$command" =~ ^(${groupsOf(entries).join("|")})$ ]] && break
    command="\${command:+$command }\${COMP_WORDS[i]}"
  done
  local words=""
  case "$command" in
${entries.map((entry) => `    "${entry.path.join(" ")}") words="${wordsOf(entry)}" ;;`).join("\n")}
  esac
  case "$before" in
    ${ACCOUNT_FLAGS.join("|")}) words="${DEV_ACCOUNTS.join(" ")} $(ls -1 ${KEY_FOLDER} 2>/dev/null)" ;;
    --confirmations) words="finalized" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$word"))
  # A colon parts words here (dev:0): only what follows it is put in.
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
  return 0
}
complete -F _jurat_wallet jurat-wallet
`;
}

function zshScript(entries: readonly Entry[]): string {
  const described = ({ text, description }: Word) =>
    quote(`${text.replaceAll(":", "\\:")}:${description.replaceAll(":", "\\:")}`);
  const wordsOf = ({ commands, flags }: Entry) => [...commands, ...flags].map(described).join(" ");
  return `#compdef jurat-wallet
_jurat_wallet() {
  local command="" i
  for ((i = 2; i < CURRENT && i <= 3; i++)); do
    [[ "\${words[i]}" == -* ]] && break
    [[ $i == 3 && ! "$command" =~ '^(${groupsOf(entries).join("|")})$' ]] && break
    command="\${command:+$command }\${words[i]}"
  done
  case "\${words[CURRENT-1]}" in
    ${ACCOUNT_FLAGS.join("|")}) compadd -- ${DEV_ACCOUNTS.join(" ")} \${(f)"$(ls -1 ${KEY_FOLDER} 2>/dev/null)"}; return ;;
    --confirmations) compadd -- finalized; return ;;
  esac
  local -a entries
  case "$command" in
${entries.map((entry) => `    "${entry.path.join(" ")}") entries=(${wordsOf(entry)}) ;;`).join("\n")}
  esac
  _describe jurat-wallet entries || _files
}
compdef _jurat_wallet jurat-wallet
`;
}

function fishScript(entries: readonly Entry[]): string {
  const line = (entry: Entry, rest: string) =>
    `complete -c jurat-wallet -n ${quote(conditionOf(entry))} ${rest}\n`;
  const accounts = `(printf '%s\\n' ${DEV_ACCOUNTS.join(" ")}; ls -1 (set -q ETH_KEYSTORE; and echo $ETH_KEYSTORE; or echo ${DEFAULT_KEY_FOLDER}) 2>/dev/null)`;
  const valuesOf = (flag: string) => {
    if (ACCOUNT_FLAGS.some((known) => known === flag)) return ` -f -a ${quote(accounts)}`;
    return flag === "--confirmations" ? " -f -a finalized" : "";
  };
  return entries
    .flatMap((entry) => [
      ...entry.commands.map(({ text, description }) => line(entry, `-f -a ${text} -d ${quote(description)}`)),
      ...entry.flags.map(({ text, description, takesValue }) =>
        line(
          entry,
          `-l ${text.slice(2)}${takesValue ? ` -r${valuesOf(text)}` : ""} -d ${quote(description)}`,
        ),
      ),
    ])
    .join("");
}

/** In the command, and in none of those below it. */
function conditionOf({ path, commands }: Entry): string {
  if (path.length === 0) return "__fish_use_subcommand";
  const inside = path.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
  const below = commands.map(({ text }) => text).join(" ");
  return below === "" ? inside : `${inside}; and not __fish_seen_subcommand_from ${below}`;
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
