/** The folder of keystore files: one account per file, readable by its owner only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { createPrivateFile, readText } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

export type StoredAccount = {
  readonly name: string;
  /** Undefined when the file does not tell: cast writes none. */
  readonly address: Address | undefined;
  readonly path: string;
};

const NOT_WHOLE = "it is no whole version 3 keystore";

/** Accounts of the folder, by name. Files that are no keystores are passed over. */
export function listAccounts(folder: string): readonly StoredAccount[] {
  if (!existsSync(folder)) return [];
  const accounts = readdirSync(folder).flatMap((name) => readAccount(join(folder, name)) ?? []);
  return accounts.sort((a, b) => a.name.localeCompare(b.name));
}

function readAccount(path: string): StoredAccount | undefined {
  let file: { readonly version?: unknown; readonly address?: unknown };
  try {
    file = JSON.parse(readFileSync(path, "utf8")) ?? {};
  } catch {
    // A folder, an unreadable file, something that is no JSON: no account of ours.
    return undefined;
  }
  if (file.version !== 3 || path.endsWith(".new")) return undefined;
  const { address } = file;
  return {
    name: basename(path),
    address: typeof address === "string" ? parseAddress(`0x${address.replace(/^0x/, "")}`) : undefined,
    path,
  };
}

/** Names of the folder's files that were keystores once, it seems, and why each is none now. */
export function listDamaged(folder: string): readonly { readonly name: string; readonly reason: string }[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return files.flatMap(({ name }) => {
    if (name.endsWith(".new") || readAccount(join(folder, name)) !== undefined) return [];
    try {
      const text = readFileSync(join(folder, name), "utf8");
      return text.trim().startsWith("{") ? [{ name, reason: NOT_WHOLE }] : [];
    } catch {
      return [{ name, reason: "it cannot be read" }];
    }
  });
}

/**
 * The account with this name or address, or of the keystore file at this path.
 * @throws WalletError (key) when there is none, more than one, or its file is damaged or locked.
 */
export function findAccount(folder: string, text: string): StoredAccount {
  const path = text.includes("/") ? text : join(folder, text);
  const wanted = parseAddress(text);
  if (wanted === undefined && existsSync(path)) return checkedAccount(path);
  const found = listAccounts(folder).filter(({ address }) => wanted !== undefined && address === wanted);
  const [account] = found;
  if (account !== undefined && found.length === 1) return account;
  if (account !== undefined) {
    throw new WalletError("key", `several accounts are ${text}: ${found.map(({ name }) => name).join(", ")}`);
  }
  throw new WalletError("key", `no account "${text}" in ${folder}; jurat-wallet list shows what is there`);
}

/** Says what is wrong with a file that was named, where listing passes over it. */
function checkedAccount(path: string): StoredAccount {
  const text = readText(path, "the keystore", "key");
  const account = readAccount(path);
  if (account !== undefined) return account;
  const what = text.trim().startsWith("{") ? NOT_WHOLE : "it is not JSON";
  throw new WalletError("key", `the keystore file ${path} is damaged: ${what}`);
}

/** @throws WalletError (key) when the name is taken, (usage) when it would leave the folder. */
export function storeAccount(folder: string, name: string, keystoreText: string): string {
  if (!/^[\w.-]{1,100}$/.test(name) || name.startsWith(".")) {
    throw new WalletError(
      "usage",
      `"${name}" is no account name: use letters, digits, dot, dash, underscore`,
    );
  }
  const path = join(folder, name);
  createPrivateFile(path, keystoreText);
  return path;
}
