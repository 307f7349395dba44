/** What a person may write for an address: `dev:0`, a contact, a keystore account, the address itself. */
import { parseAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { readConfig } from "./config.ts";
import { findAccount } from "./key-folder.ts";
import { WalletError } from "./wallet-error.ts";

/**
 * A keystore account goes before a contact of the same name.
 * @throws WalletError (usage) for a wrong address, (key) when nothing has this name.
 */
export async function resolveAddress(text: string, keystore: string): Promise<Address> {
  const address = parseAddress(text) ?? (await findDevAccount(text))?.address;
  if (address !== undefined) return address;
  if (/^0x/.test(text)) {
    throw new WalletError(
      "usage",
      `${text} is no address (40 hex digits; mixed case must have a right checksum)`,
    );
  }
  return nameToAddress(text, keystore);
}

function nameToAddress(name: string, keystore: string): Address {
  const { contacts } = readConfig();
  const contact = Object.hasOwn(contacts, name) ? contacts[name] : undefined;
  let account: ReturnType<typeof findAccount>;
  try {
    account = findAccount(keystore, name);
  } catch (error) {
    if (contact !== undefined) return contact;
    throw error;
  }
  if (account.address !== undefined) return account.address;
  throw new WalletError(
    "key",
    `${account.path} does not tell its address: add it with jurat-wallet contact add ${name} 0x…, or import the file again`,
  );
}

/** The development account `dev:0` to `dev:9`; undefined for any other text. @throws WalletError (usage) */
export async function findDevAccount(text: string) {
  if (!text.startsWith("dev:")) return undefined;
  // Loaded on use: the curve is a third of the start-up of a command that does not need it.
  const { DEV_ACCOUNT_COUNT, deriveDevAccounts } = await import("../primitives/dev-accounts.ts");
  const account = /^dev:\d$/.test(text) ? deriveDevAccounts()[Number(text.slice(4))] : undefined;
  if (account !== undefined) return account;
  throw new WalletError("usage", `${text} is no development account: dev:0 to dev:${DEV_ACCOUNT_COUNT - 1}`);
}
