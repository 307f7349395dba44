/** Who signs: a development account, or an account of the keystore folder. */
import { readFileSync } from "node:fs";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { parseAddress } from "../primitives/address.ts";
import { type Address, toHex } from "../primitives/bytes.ts";
import { DEV_ACCOUNT_COUNT, deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { findAccount } from "./key-folder.ts";
import { decryptKeystore } from "./keystore.ts";
import { readPassword } from "./prompt.ts";
import { WalletError } from "./wallet-error.ts";

export type KeyOptions = { readonly keystore: string; readonly passwordFile?: string };

/**
 * The signer `from` names: `dev:0` … `dev:9`, or a name or address of the keystore folder.
 * @throws WalletError when there is no such account or the password is wrong.
 */
export async function openSigner(from: string, options: KeyOptions): Promise<LocalAccount> {
  const dev = devAccount(from);
  if (dev !== undefined) return privateKeyToAccount(dev.privateKey);
  const account = findAccount(options.keystore, from);
  const password = await readPassword(options.passwordFile, `password of ${account.name}: `);
  return privateKeyToAccount(toHex(decryptKeystore(readFileSync(account.path, "utf8"), password)));
}

/** The address of anything that names an account: `dev:0`, a keystore name, or an address. */
export function resolveAddress(text: string, keystore: string): Address {
  const address = devAccount(text)?.address ?? parseAddress(text);
  if (address !== undefined) return address;
  if (/^0x/.test(text))
    throw new WalletError(
      "usage",
      `${text} is no address (40 hex digits; mixed case must have a right checksum)`,
    );
  return findAccount(keystore, text).address;
}

function devAccount(text: string) {
  if (!text.startsWith("dev:")) return undefined;
  const account = /^dev:\d$/.test(text) ? deriveDevAccounts()[Number(text.slice(4))] : undefined;
  if (account !== undefined) return account;
  throw new WalletError("usage", `${text} is no development account: dev:0 to dev:${DEV_ACCOUNT_COUNT - 1}`);
}
