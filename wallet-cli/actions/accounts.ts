/** Creating, importing, listing and changing accounts. */
import { randomBytes } from "node:crypto";
import { toChecksumAddress } from "../../primitives/address.ts";
import { type Address, fromHex, toHex } from "../../primitives/bytes.ts";
import { isValidPrivateKey, privateKeyToAddress } from "../../primitives/secp256k1.ts";
import type {
  DeriveFlags,
  ImportFlags,
  MnemonicFlags,
  NewFlags,
  PasswordFlags,
  PhraseFlags,
  StoreFlags,
} from "../commands/accounts.ts";
import { findAccount, listAccounts, listDamaged, storeAccount } from "../key-folder.ts";
import { decryptKeystore, encryptKeystore } from "../keystore.ts";
import {
  createMnemonic,
  DEFAULT_DERIVATION_PATH,
  deriveChildren,
  derivePrivateKey,
  mnemonicToSeed,
  parseMnemonic,
  WORD_COUNTS,
} from "../mnemonic.ts";
import type { KeyFlags, OutputFlags } from "../options.ts";
import { note, printResult } from "../output.ts";
import { readText, replacePrivateFile } from "../private-file.ts";
import { choosePassword, readPassword } from "../prompt.ts";
import { WalletError } from "../wallet-error.ts";

/** More accounts than a person reads; each costs a derivation. */
const DERIVED_ACCOUNT_LIMIT = 1000;

export async function create(flags: NewFlags): Promise<void> {
  if (flags.words === undefined) return store(freshKey(), flags, {});
  const mnemonic = createMnemonic(wordCount(flags.words));
  const privateKey = derivePrivateKey(mnemonicToSeed(mnemonic), `${DEFAULT_DERIVATION_PATH}/0`);
  await store(privateKey, flags, { mnemonic });
  note("These words are the account: write them down, nobody can find them again.");
}

export async function importAccount(file: string | undefined, flags: ImportFlags): Promise<void> {
  if ((file === undefined) === (flags.mnemonicFile === undefined)) {
    throw new WalletError("usage", "give a file with a key or keystore, or --mnemonic-file");
  }
  if (file !== undefined) return store(await readKey(file, flags.importPasswordFile), flags, {});
  const seed = await readSeed(flags);
  const path = `${flags.mnemonicDerivationPath ?? DEFAULT_DERIVATION_PATH}/${flags.mnemonicIndex}`;
  await store(derivePrivateKey(seed, path), flags, {});
}

export function list(flags: KeyFlags & OutputFlags): void {
  const accounts = listAccounts(flags.keystore).map(({ name, address }) => ({
    name,
    address: address === undefined ? null : toChecksumAddress(address),
  }));
  const damaged = listDamaged(flags.keystore);
  for (const { name, reason } of damaged) note(`${name} is damaged: ${reason}`);
  if (accounts.length + damaged.length === 0)
    note(`no accounts in ${flags.keystore}; make one with jurat-wallet new`);
  const unknown = "(not told by its file)".padEnd(42);
  printResult(
    flags.json,
    accounts,
    accounts.map(({ name, address }) => `${address ?? unknown}  ${name}`),
  );
}

export async function changePassword(name: string, flags: PasswordFlags): Promise<void> {
  const account = findAccount(flags.keystore, name);
  const text = readText(account.path, "the keystore", "key");
  const privateKey = decryptKeystore(
    text,
    await readPassword(flags.passwordFile, `password of ${account.name}: `),
  );
  const encrypted = encryptKeystore(privateKey, await choosePassword(flags.newPasswordFile));
  replacePrivateFile(account.path, () => {
    if (readText(account.path, "the keystore", "key") === text) return encrypted;
    throw new WalletError(
      "file",
      `${account.path} was changed by another program meanwhile; nothing was written`,
    );
  });
  const address = toChecksumAddress(privateKeyToAddress(privateKey));
  printResult(flags.json, { address, path: account.path }, [`${address}  ${account.path}`]);
}

export function newMnemonic(flags: MnemonicFlags): void {
  const mnemonic = createMnemonic(wordCount(flags.words));
  const keys = childrenOf(mnemonicToSeed(mnemonic), DEFAULT_DERIVATION_PATH, flags.accounts);
  const accounts = keys.map((key) => ({ address: checksumOf(key) }));
  for (const { address } of accounts) note(`  ${address}`);
  printResult(flags.json, { mnemonic, accounts }, [mnemonic]);
}

export async function derive(flags: DeriveFlags): Promise<void> {
  const parent = flags.mnemonicDerivationPath ?? DEFAULT_DERIVATION_PATH;
  const accounts = childrenOf(await readSeed(flags), parent, flags.accounts).map((key, index) => ({
    path: `${parent}/${index}`,
    address: checksumOf(key),
    ...(flags.insecure ? { privateKey: toHex(key) } : {}),
  }));
  const lines = accounts.map(({ path, address, privateKey }) =>
    [address, path, privateKey].filter((part) => part !== undefined).join("  "),
  );
  printResult(flags.json, accounts, lines);
}

function childrenOf(seed: Uint8Array, path: string, count: number): readonly Uint8Array[] {
  if (count >= 1 && count <= DERIVED_ACCOUNT_LIMIT) return deriveChildren(seed, path, count);
  throw new WalletError("usage", `--accounts is 1 to ${DERIVED_ACCOUNT_LIMIT}`);
}

function wordCount(words: number): number {
  if (WORD_COUNTS.some((count) => count === words)) return words;
  throw new WalletError("usage", `a mnemonic has ${WORD_COUNTS.join(", ")} words`);
}

/** The seed of the words in a file, or of those that are asked for. @throws WalletError */
export async function readSeed(
  flags: Pick<PhraseFlags, "mnemonicFile" | "mnemonicPassphraseFile">,
): Promise<Uint8Array> {
  const text =
    flags.mnemonicFile === undefined
      ? await readPassword(undefined, "mnemonic: ")
      : readText(flags.mnemonicFile, "the mnemonic", "key");
  const passphrase =
    flags.mnemonicPassphraseFile === undefined ? "" : await readPassword(flags.mnemonicPassphraseFile, "");
  return mnemonicToSeed(parseMnemonic(text), passphrase);
}

async function store(privateKey: Uint8Array, flags: StoreFlags, extra: { mnemonic?: string }): Promise<void> {
  const password = await choosePassword(flags.passwordFile);
  const address = checksumOf(privateKey);
  const path = storeAccount(
    flags.keystore,
    flags.name ?? address.toLowerCase(),
    encryptKeystore(privateKey, password),
  );
  const lines = [`${address}  ${path}`, ...(extra.mnemonic === undefined ? [] : [extra.mnemonic])];
  printResult(flags.json, { address, path, ...extra }, lines);
}

function checksumOf(privateKey: Uint8Array): Address {
  return toChecksumAddress(privateKeyToAddress(privateKey));
}

/** Fewer than 2^-127 of all strings are no key; then draw again. */
function freshKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32));
    if (isValidPrivateKey(key)) return key;
  }
}

async function readKey(file: string, passwordFile: string | undefined): Promise<Uint8Array> {
  const text = readText(file, "the key", "key").trim();
  if (text.startsWith("{"))
    return decryptKeystore(text, await readPassword(passwordFile, "password of the imported file: "));
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new WalletError("key", `${file} holds neither a private key (64 hex digits) nor a keystore`);
  }
  const key = fromHex(text.startsWith("0x") ? text : `0x${text}`);
  if (isValidPrivateKey(key)) return key;
  throw new WalletError("key", `${file} holds a number that is no private key`);
}
