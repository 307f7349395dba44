/** new, import, list: the keystore folder. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { toChecksumAddress } from "../../primitives/address.ts";
import { fromHex } from "../../primitives/bytes.ts";
import { isValidPrivateKey, privateKeyToAddress } from "../../primitives/secp256k1.ts";
import { listAccounts, storeAccount } from "../key-folder.ts";
import { decryptKeystore, encryptKeystore } from "../keystore.ts";
import { type KeyFlags, type OutputFlags, withKeys, withOutput } from "../options.ts";
import { printResult } from "../output.ts";
import { choosePassword, readPassword } from "../prompt.ts";
import { WalletError } from "../wallet-error.ts";

type StoreFlags = KeyFlags & OutputFlags & { readonly name?: string };

export function addAccountCommands(program: Command): void {
  withOutput(withKeys(program.command("new")))
    .description("create an account in an encrypted keystore file (version 3)")
    .option("--name <name>", "file name of the account; its address otherwise")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet new --name alice")
    .action(async (flags: StoreFlags) => store(freshKey(), flags));

  withOutput(withKeys(program.command("import")))
    .description("import a private key, or a keystore file of geth, cast or MetaMask")
    .argument("<file>", "file with 64 hex digits or a version 3 keystore; - reads standard input")
    .option("--name <name>", "file name of the account; its address otherwise")
    .addHelpText(
      "after",
      "\nExamples:\n  $ jurat-wallet import key.txt --name bob\n  $ pass show bob | jurat-wallet import - --name bob --password-file pw",
    )
    .action(async (file: string, flags: StoreFlags) => store(await readKey(file), flags));

  withOutput(withKeys(program.command("list")))
    .description("accounts of the keystore folder")
    .action((flags: KeyFlags & OutputFlags) => {
      const accounts = listAccounts(flags.keystore).map(({ name, address }) => ({
        name,
        address: toChecksumAddress(address),
      }));
      const lines = accounts.map(({ name, address }) => `${address}  ${name}`);
      printResult(flags.json, accounts, lines.length === 0 ? [`no accounts in ${flags.keystore}`] : lines);
    });
}

async function store(privateKey: Uint8Array, flags: StoreFlags): Promise<void> {
  const password = await choosePassword(flags.passwordFile);
  const address = toChecksumAddress(privateKeyToAddress(privateKey));
  const path = storeAccount(
    flags.keystore,
    flags.name ?? address.toLowerCase(),
    encryptKeystore(privateKey, password),
  );
  printResult(flags.json, { address, path }, [`${address}  ${path}`]);
}

/** Fewer than 2^-127 of all strings are no key; then draw again. */
function freshKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32));
    if (isValidPrivateKey(key)) return key;
  }
}

async function readKey(file: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8").trim();
  } catch (cause) {
    throw new WalletError("key", `cannot read ${file}`, { cause });
  }
  if (text.startsWith("{"))
    return decryptKeystore(text, await readPassword(undefined, "password of the imported file: "));
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new WalletError("key", `${file} holds neither a private key (64 hex digits) nor a keystore`);
  }
  const key = fromHex(text.startsWith("0x") ? text : `0x${text}`);
  if (isValidPrivateKey(key)) return key;
  throw new WalletError("key", `${file} holds a number that is no private key`);
}
