/** The wallet's settings: named networks and the address book. See specs/wallet/wallet.md#settings. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { readText, replacePrivateFile } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

export type Network = {
  readonly rpcUrl: string;
  /** The beacon API of the same node, where the node's own word would not do. */
  readonly beaconUrl?: string;
  /** When it is known, a node of another chain is refused. */
  readonly chainId?: number;
};

export type Config = {
  /** The network that is used when none is named. */
  readonly network?: string;
  readonly networks: Readonly<Record<string, Network>>;
  readonly contacts: Readonly<Record<string, Address>>;
};

/** `~/.jurat/config.json`, or what JURAT_CONFIG names. */
export function configPath(): string {
  return process.env["JURAT_CONFIG"] || join(homedir(), ".jurat", "config.json");
}

/** Settings of the file; none when it does not exist. @throws WalletError (file) naming the entry that is wrong. */
export function readConfig(path: string = configPath()): Config {
  if (!existsSync(path)) return { networks: {}, contacts: {} };
  return parseConfig(readText(path, "the settings"), path);
}

/** Changes the settings in one step that no other wallet can come between. */
export function updateConfig(change: (config: Config) => Config, path: string = configPath()): void {
  replacePrivateFile(path, () => `${JSON.stringify(change(readConfig(path)), null, 2)}\n`);
}

function parseConfig(text: string, path: string): Config {
  const wrong = (what: string) => new WalletError("file", `the settings ${path} are damaged: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("they are not JSON");
  }
  if (!isRecord(value)) throw wrong("they are no object");
  const { network, networks = {}, contacts = {} } = value;
  if (!isRecord(networks) || !Object.values(networks).every(isNetwork)) {
    throw wrong("each entry of networks needs an rpcUrl, and may have a chainId and a beaconUrl");
  }
  if (!isRecord(contacts)) throw wrong("contacts is no object");
  if (network !== undefined && (typeof network !== "string" || networks[network] === undefined)) {
    throw wrong(`network names "${String(network)}", which networks does not have`);
  }
  return {
    ...(network === undefined ? {} : { network: network as string }),
    networks: networks as Record<string, Network>,
    contacts: parseContacts(contacts, wrong),
  };
}

function parseContacts(
  contacts: Readonly<Record<string, unknown>>,
  wrong: (what: string) => WalletError,
): Record<string, Address> {
  const entries = Object.entries(contacts).map(([name, text]) => {
    const address = typeof text === "string" ? parseAddress(text) : undefined;
    if (address === undefined) throw wrong(`the contact ${name} is no address`);
    return [name, address] as const;
  });
  return Object.fromEntries(entries);
}

function isNetwork(value: unknown): value is Network {
  if (!isRecord(value) || typeof value["rpcUrl"] !== "string") return false;
  if (value["beaconUrl"] !== undefined && typeof value["beaconUrl"] !== "string") return false;
  return value["chainId"] === undefined || Number.isSafeInteger(value["chainId"]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
