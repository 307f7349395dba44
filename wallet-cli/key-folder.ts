/** The folder of keystore files: one account per file, readable by its owner only. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { WalletError } from "./wallet-error.ts";

export const DEFAULT_KEY_FOLDER = join(homedir(), ".jurat", "keystore");

export type StoredAccount = { readonly name: string; readonly address: Address; readonly path: string };

/** Accounts of the folder, by name. Files that are no keystores are passed over. */
export function listAccounts(folder: string): readonly StoredAccount[] {
  if (!existsSync(folder)) return [];
  const accounts = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const address = addressIn(path);
    return address === undefined ? [] : [{ name, address, path }];
  });
  return accounts.sort((a, b) => a.name.localeCompare(b.name));
}

function addressIn(path: string): Address | undefined {
  try {
    const { address } = JSON.parse(readFileSync(path, "utf8")) as { address?: unknown };
    return typeof address === "string" ? parseAddress(`0x${address.replace(/^0x/, "")}`) : undefined;
  } catch {
    // A folder, an unreadable file, something that is no JSON: no account of ours.
    return undefined;
  }
}

/** @throws WalletError (key) when no account or more than one has this name or address. */
export function findAccount(folder: string, nameOrAddress: string): StoredAccount {
  const wanted = parseAddress(nameOrAddress);
  const found = listAccounts(folder).filter((account) =>
    wanted === undefined ? account.name === nameOrAddress : account.address === wanted,
  );
  const [account] = found;
  if (account !== undefined && found.length === 1) return account;
  if (account !== undefined) {
    throw new WalletError(
      "key",
      `several accounts are ${nameOrAddress}: ${found.map(({ name }) => name).join(", ")}`,
    );
  }
  throw new WalletError(
    "key",
    `no account "${nameOrAddress}" in ${folder}; jurat-wallet list shows what is there`,
  );
}

/** @throws WalletError (key) when the name is taken or would leave the folder. */
export function storeAccount(folder: string, name: string, keystoreText: string): string {
  if (!/^[\w.-]{1,100}$/.test(name) || name.startsWith(".")) {
    throw new WalletError(
      "usage",
      `"${name}" is no account name: use letters, digits, dot, dash, underscore`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  if (existsSync(path)) throw new WalletError("key", `${path} exists already; choose another --name`);
  writeFileSync(path, keystoreText, { mode: 0o600, flag: "wx" });
  return path;
}
