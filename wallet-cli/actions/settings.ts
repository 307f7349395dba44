/** Changing and showing the settings file. */
import { toChecksumAddress } from "../../primitives/address.ts";
import { resolveAddress } from "../account-names.ts";
import type { NetworkFlags } from "../commands/settings.ts";
import { type Config, readConfig, updateConfig } from "../config.ts";
import { listAccounts } from "../key-folder.ts";
import type { KeyFlags, OutputFlags } from "../options.ts";
import { printResult } from "../output.ts";
import { WalletError } from "../wallet-error.ts";

export function addNetwork(name: string, url: string, { chainId, beaconUrl, json }: NetworkFlags): void {
  requireName(name);
  for (const text of [url, beaconUrl ?? url]) {
    if (!/^https?:\/\/\S+$/.test(text)) throw new WalletError("usage", `"${text}" is no http URL`);
  }
  const network = {
    rpcUrl: url,
    ...(chainId === undefined ? {} : { chainId }),
    ...(beaconUrl === undefined ? {} : { beaconUrl }),
  };
  updateConfig((config) => ({
    ...config,
    network: config.network ?? name,
    networks: { ...config.networks, [name]: network },
  }));
  printResult(json, { name, ...network }, [`${name}  ${url}`]);
}

export function useNetwork(name: string, { json }: OutputFlags): void {
  updateConfig((config) => {
    requireKnown(config.networks, name, "network");
    return { ...config, network: name };
  });
  printResult(json, { network: name }, [name]);
}

export function removeNetwork(name: string, { json }: OutputFlags): void {
  updateConfig((config) => {
    requireKnown(config.networks, name, "network");
    const { network, ...rest } = { ...config, networks: without(config.networks, name) };
    return network === undefined || network === name ? rest : { ...rest, network };
  });
  printResult(json, { removed: name }, [name]);
}

export function listNetworks({ json }: OutputFlags): void {
  const { network, networks } = readConfig();
  const entries = Object.entries(networks).map(([name, entry]) => ({
    name,
    ...entry,
    inUse: name === network,
  }));
  printResult(
    json,
    entries,
    entries.map(({ name, rpcUrl, chainId, inUse }) =>
      `${inUse ? "*" : " "} ${name}  ${rpcUrl}  ${chainId === undefined ? "" : `chain ${chainId}`}`.trimEnd(),
    ),
  );
}

export async function addContact(name: string, text: string, flags: KeyFlags & OutputFlags): Promise<void> {
  requireName(name);
  const address = await resolveAddress(text, flags.keystore);
  const own = listAccounts(flags.keystore).find((account) => account.name === name);
  if (own !== undefined && own.address !== undefined && own.address !== address) {
    throw new WalletError("usage", `${name} is an account of the keystore; a contact needs another name`);
  }
  updateConfig((config) => ({
    ...config,
    contacts: { ...config.contacts, [name]: toChecksumAddress(address) },
  }));
  printResult(flags.json, { name, address: toChecksumAddress(address) }, [
    `${toChecksumAddress(address)}  ${name}`,
  ]);
}

export function removeContact(name: string, { json }: OutputFlags): void {
  updateConfig((config) => {
    requireKnown(config.contacts, name, "contact");
    return { ...config, contacts: without(config.contacts, name) };
  });
  printResult(json, { removed: name }, [name]);
}

export function listContacts({ json }: OutputFlags): void {
  const contacts = Object.entries(readConfig().contacts).map(([name, address]) => ({
    name,
    address: toChecksumAddress(address),
  }));
  printResult(
    json,
    contacts,
    contacts.map(({ name, address }) => `${address}  ${name}`),
  );
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

function requireKnown(record: Config["networks"] | Config["contacts"], name: string, kind: string): void {
  if (Object.hasOwn(record, name)) return;
  const known = Object.keys(record).join(", ") || "none";
  throw new WalletError("notFound", `there is no ${kind} "${name}"; there are: ${known}`);
}

/** Names cannot be taken for an address, a development account or a path. */
function requireName(name: string): void {
  if (/^[\w.-]{1,64}$/.test(name) && !/^0x/i.test(name) && name !== "__proto__") return;
  throw new WalletError("usage", `"${name}" is no name: letters, digits, dot, dash, underscore, and not 0x…`);
}
