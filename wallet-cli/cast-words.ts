/** Words that hands which know cast type: its short names, and flags that this wallet refuses with a reason. See specs/wallet/wallet.md#casts-words. */
import { type Command, Option } from "commander";
import { WalletError } from "./wallet-error.ts";

/** cast's other names for commands of the program. */
const PROGRAM_WORDS: Readonly<Record<string, readonly string[]>> = {
  "4byte": ["4", "4b"],
  "abi-decode": ["ad", "decode-abi"],
  "abi-encode": ["ae"],
  balance: ["b"],
  block: ["bl"],
  "block-number": ["bn"],
  call: ["c"],
  calldata: ["cd"],
  "chain-id": ["ci", "cid"],
  code: ["co"],
  completions: ["com"],
  estimate: ["e"],
  "gas-price": ["g"],
  logs: ["l"],
  mktx: ["m"],
  nonce: ["n"],
  proof: ["pr"],
  publish: ["p"],
  receipt: ["re"],
  rpc: ["rp"],
  send: ["s"],
  sig: ["si"],
  storage: ["st"],
  tx: ["t"],
};
/** And of `wallet`. */
const WALLET_WORDS: Readonly<Record<string, readonly string[]>> = {
  "change-password": ["cp"],
  derive: ["d"],
  import: ["i"],
  new: ["n"],
  "new-mnemonic": ["nm"],
  sign: ["s"],
  verify: ["v"],
};

/** Adds cast's other names to the commands that there are. */
export function addCastWords(program: Command): void {
  const wallet = program.commands.find((command) => command.name() === "wallet");
  addWords(program, PROGRAM_WORDS);
  if (wallet !== undefined) addWords(wallet, WALLET_WORDS);
}

function addWords(parent: Command, words: typeof PROGRAM_WORDS): void {
  for (const command of parent.commands) {
    for (const word of words[command.name()] ?? []) command.alias(word);
  }
}

const SECRET_FLAGS = {
  "--private-key <key>":
    "put it into a keystore once, jurat-wallet import - --name NAME, and use --from NAME",
  "--mnemonic <words>": "jurat-wallet import --mnemonic-file FILE --name NAME, and use --from NAME",
  "--password <password>": "use --password-file, or answer the question",
} as const;

/** cast takes secrets as flags; here they are refused without repeating them. */
export function refuseSecrets(command: Command): Command {
  for (const [flags, advice] of Object.entries(SECRET_FLAGS)) {
    const [flag] = flags.split(" ");
    const refuse = (): never => {
      throw new WalletError(
        "usage",
        `${flag} would show the secret to every user of this computer, and to the shell's history: ${advice}`,
      );
    };
    command.addOption(new Option(flags).argParser(refuse).hideHelp());
  }
  return command;
}
