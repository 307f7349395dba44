/** Completion scripts, made from the program's own commands. */
import type { Command } from "commander";
import { WalletError } from "../wallet-error.ts";

type Entry = { readonly path: string; readonly words: readonly string[] };

/** Prints the script for one shell. @throws WalletError (usage) for another. */
export function completions(program: Command, shell: string): void {
  const script = scripts[shell as keyof typeof scripts];
  if (script === undefined) throw new WalletError("usage", `"${shell}" is no shell: bash, zsh or fish`);
  process.stdout.write(script(entriesOf(program, "")));
}

/** What may follow each command: its subcommands and flags. */
function entriesOf(command: Command, path: string): readonly Entry[] {
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const words = [...command.commands.map((child) => child.name()), ...flags, "--help"];
  const children = command.commands.flatMap((child) => entriesOf(child, `${path} ${child.name()}`.trim()));
  return [{ path, words }, ...children];
}

const scripts = {
  bash: (entries: readonly Entry[]) => `# bash completion of jurat-wallet
_jurat_wallet() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" i
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    [[ "\${COMP_WORDS[i]}" == -* ]] && break
    [[ $i == 2 && ! "$path" =~ ^(${groupsOf(entries)})$ ]] && break
    path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  local words=""
  case "$path" in
${entries.map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _jurat_wallet jurat-wallet
`,
  zsh: (entries: readonly Entry[]) => `#compdef jurat-wallet
autoload -U +X bashcompinit && bashcompinit
${scripts.bash(entries)}`,
  fish: (entries: readonly Entry[]): string =>
    entries
      .map(({ path, words }) => {
        const names = path.split(" ").filter((name) => name !== "");
        const condition =
          names.length === 0
            ? "__fish_use_subcommand"
            : names.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
        return `complete -c jurat-wallet -n '${condition}' -a '${words.join(" ")}'\n`;
      })
      .join(""),
} as const;

/** Commands that have commands of their own. */
function groupsOf(entries: readonly Entry[]): string {
  const groups = entries.filter(({ path }) => path.includes(" ")).map(({ path }) => path.split(" ")[0]);
  return [...new Set(groups)].join("|");
}
