/** `new`, `import`, `list`, `sign`, `verify`, `derive`, `change-password`: the keystore and what its keys sign. */
import type { Command } from "commander";
import {
  count,
  type KeyFlags,
  type OutputFlags,
  type SenderFlags,
  withKeys,
  withOutput,
  withSender,
} from "../options.ts";

export type StoreFlags = KeyFlags & OutputFlags & { readonly name?: string };
export type NewFlags = StoreFlags & { readonly words?: number };
export type MnemonicFlags = OutputFlags & { readonly words: number; readonly accounts: number };
export type PhraseFlags = {
  readonly mnemonicFile?: string;
  readonly mnemonicPassphraseFile?: string;
  readonly mnemonicDerivationPath?: string;
};
export type ImportFlags = StoreFlags &
  PhraseFlags & { readonly mnemonicIndex: number; readonly importPasswordFile?: string };
export type DeriveFlags = OutputFlags &
  PhraseFlags & { readonly accounts: number; readonly insecure: boolean };
export type MessageFlags = OutputFlags & {
  readonly data: boolean;
  readonly fromFile: boolean;
  /** Commander's negation of --no-hash. */
  readonly hash: boolean;
};
export type SignFlags = MessageFlags & SenderFlags;
export type VerifyFlags = MessageFlags & KeyFlags & { readonly address: string };
export type PasswordFlags = KeyFlags & OutputFlags & { readonly newPasswordFile?: string };

const load = () => import("../actions/accounts.ts");
const loadSigning = () => import("../actions/signing.ts");

/** Adds the commands to `parent`: the program itself, and `wallet` as in cast. */
export function addAccountCommands(parent: Command): void {
  addCreation(parent);
  addMnemonics(parent);
  withOutput(withKeys(parent.command("list")))
    .alias("ls")
    .description("accounts of the keystore folder")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet list --json")
    .action(async (flags: KeyFlags & OutputFlags) => (await load()).list(flags));
  withOutput(withKeys(parent.command("change-password")))
    .description("encrypt a keystore file with another password")
    .argument("<account>", "name or address")
    .option("--new-password-file <file>", "read the new password from a file instead of asking")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet change-password alice")
    .action(async (account: string, flags: PasswordFlags) => (await load()).changePassword(account, flags));
  addSigning(parent);
}

function addCreation(parent: Command): void {
  withOutput(withKeys(parent.command("new")))
    .description("create an account in an encrypted keystore file (version 3)")
    .option("--name <name>", "file name of the account; its address otherwise")
    .option("--words <n>", "make it from a new mnemonic of 12 to 24 words, which is printed once", count)
    .addHelpText(
      "after",
      "\nExamples:\n  $ jurat-wallet new --name alice\n  $ jurat-wallet new --name alice --words 24",
    )
    .action(async (flags: NewFlags) => (await load()).create(flags));

  withPhrase(withOutput(withKeys(parent.command("import"))))
    .description("import a private key, a mnemonic, or a keystore file of geth, cast or MetaMask")
    .argument("[file]", "file with 64 hex digits or a version 3 keystore; - reads standard input")
    .option("--name <name>", "file name of the account; its address otherwise")
    .option("--import-password-file <file>", "password of the imported keystore, instead of asking")
    .option("--mnemonic-index <n>", "which account of the mnemonic", count, 0)
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet import key.txt --name bob
  $ pass show bob | jurat-wallet import - --name bob --password-file pw
  $ jurat-wallet import --mnemonic-file words.txt --mnemonic-index 2 --name carol`,
    )
    .action(async (file: string | undefined, flags: ImportFlags) =>
      (await load()).importAccount(file, flags),
    );
}

function addMnemonics(parent: Command): void {
  withOutput(parent.command("new-mnemonic"))
    .description("print a new mnemonic and its first accounts; nothing is stored")
    .option("-w, --words <n>", "12, 15, 18, 21 or 24", count, 12)
    .option("-a, --accounts <n>", "how many accounts to show", count, 1)
    .addHelpText("after", "\nExample:\n  $ jurat-wallet new-mnemonic --words 24 > words.txt")
    .action(async (flags: MnemonicFlags) => (await load()).newMnemonic(flags));

  withPhrase(withOutput(parent.command("derive")))
    .description("accounts of a mnemonic, which is asked for when no file is given")
    .option("-a, --accounts <n>", "how many accounts to show", count, 1)
    .option("--insecure", "print the private keys too", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ jurat-wallet derive --accounts 3\n  $ jurat-wallet derive --mnemonic-file words.txt --mnemonic-derivation-path \"m/44'/60'/1'/0\"",
    )
    .action(async (flags: DeriveFlags) => (await load()).derive(flags));
}

function withPhrase(command: Command): Command {
  return command
    .option("--mnemonic-file <file>", "file with the words; - reads standard input")
    .option("--mnemonic-passphrase-file <file>", "file with BIP-39's extra passphrase")
    .option("--mnemonic-derivation-path <path>", "m/44'/60'/0'/0 when not given; the index is appended");
}

function addSigning(parent: Command): void {
  withMessage(withSender(withOutput(parent.command("sign"))))
    .description("sign a message (personal_sign) or typed data (EIP-712)")
    .argument("<message>", "text; 0x… is bytes; with --data JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet sign "hello" --from alice
  $ jurat-wallet sign --data --from-file permit.json --from dev:0`,
    )
    .action(async (message: string, flags: SignFlags) => (await loadSigning()).sign(message, flags));

  withMessage(withKeys(withOutput(parent.command("verify"))))
    .description("check who signed a message or typed data")
    .argument("<message>", "as it was signed")
    .argument("<signature>", "65 bytes as hex")
    .requiredOption("-a, --address <account>", "who is said to have signed")
    .addHelpText("after", '\nExample:\n  $ jurat-wallet verify "hello" 0x9f2c… --address alice')
    .action(async (message: string, signature: string, flags: VerifyFlags) =>
      (await loadSigning()).verify(message, signature, flags),
    );
}

function withMessage(command: Command): Command {
  return command
    .option("--data", "the message is EIP-712 typed data as JSON", false)
    .option("--from-file", "the message names a file with the typed data", false)
    .option("--no-hash", "the message is a 32-byte digest, signed as it is");
}
