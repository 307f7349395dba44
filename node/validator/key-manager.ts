/** Keys in and out of a running node, with what they have signed. See specs/node/keymanager.md. */
import {
  decryptKeystoreInBackground,
  describeKeystoreFault,
  type Keystore,
  KeystoreError,
  parseKeystore,
} from "../../keys/keystore.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hash, type Hex, toHex } from "../../primitives/bytes.ts";
import type { SlashingProtection } from "../storage/slashing-protection.ts";
import { encodeInterchange, parseInterchange } from "./interchange.ts";
import type { KeyFolder } from "./key-folder.ts";
import type { ValidatorKey } from "./keyring.ts";
import { removeFile } from "./private-file.ts";

export type KeyManagerPorts = {
  /** The signer's own: a key that is not in it signs nothing. This is its one writer. */
  readonly keyring: Map<Hex, ValidatorKey>;
  readonly folder: KeyFolder;
  readonly protection: SlashingProtection;
  readonly genesisValidatorsRoot: Hash;
  /** URL of --remote-signer. */
  readonly defaultSigner?: string | undefined;
  /** After the keyring has them, or has them no more. */
  onAdded(publicKeys: readonly Hex[]): void;
  onRemoved(publicKeys: readonly Hex[]): void;
};

export type KeyImport = {
  readonly keystores: readonly string[];
  /** One per keystore, in order. */
  readonly passwords: readonly string[];
  /** An EIP-3076 interchange. */
  readonly slashingProtection: string | undefined;
};

/** `message` says what went wrong, and only then. */
export type KeyStatus = {
  readonly status: "imported" | "duplicate" | "deleted" | "not_active" | "not_found" | "error";
  readonly message?: string;
};

export type ListedKey = {
  readonly publicKey: Hex;
  readonly derivationPath: string;
  readonly isReadOnly: boolean;
};

export type ListedRemoteKey = {
  readonly publicKey: Hex;
  readonly url: string;
  readonly isReadOnly: boolean;
};

/** Without a URL it is at the signer of --remote-signer. */
export type RemoteKeyImport = { readonly publicKey: Hex; readonly url: string | undefined };

export type KeyManager = {
  list(): readonly ListedKey[];
  /** @throws InterchangeError, and then nothing was changed. */
  importKeystores(request: KeyImport): Promise<readonly KeyStatus[]>;
  listRemote(): readonly ListedRemoteKey[];
  importRemote(keys: readonly RemoteKeyImport[]): Promise<readonly KeyStatus[]>;
  deleteRemote(publicKeys: readonly Hex[]): Promise<readonly KeyStatus[]>;
  /** The history of each key that is deleted or was not active, as an interchange. */
  deleteKeystores(publicKeys: readonly Hex[]): Promise<{
    readonly statuses: readonly KeyStatus[];
    readonly slashingProtection: string;
  }>;
};

/** Requests are carried out one after the other: two that name one key see each other's outcome. */
export function createKeyManager(ports: KeyManagerPorts): KeyManager {
  const inTurn = createTurns();
  return {
    list: () =>
      [...ports.keyring].flatMap(([publicKey, key]) => {
        if (key.kind !== "local") return [];
        const { origin } = key;
        const derivationPath = origin.kind === "interop" ? "" : origin.derivationPath;
        return { publicKey, derivationPath, isReadOnly: origin.kind === "interop" };
      }),
    importKeystores: (request) => inTurn(() => importAll(ports, request)),
    deleteKeystores: (publicKeys) => inTurn(() => deleteAll(ports, publicKeys)),
    listRemote: () =>
      [...ports.keyring].flatMap(([publicKey, key]) =>
        key.kind === "remote" ? { publicKey, url: key.url, isReadOnly: key.origin.kind === "flag" } : [],
      ),
    importRemote: (keys) => inTurn(() => eachInTurn(keys, (key) => importRemoteKey(ports, key))),
    deleteRemote: (publicKeys) =>
      inTurn(() => eachInTurn(publicKeys, (publicKey) => deleteRemoteKey(ports, publicKey))),
  };
}

function createTurns() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>): Promise<T> => {
    const turn = last.then(task, task);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** What the keys signed elsewhere is on disk before the first of them can sign here. */
async function importAll(
  ports: KeyManagerPorts,
  { keystores, passwords, slashingProtection }: KeyImport,
): Promise<readonly KeyStatus[]> {
  if (slashingProtection !== undefined) {
    await ports.protection.raiseAll(parseInterchange(slashingProtection, ports.genesisValidatorsRoot));
  }
  const statuses: KeyStatus[] = [];
  for (const [index, text] of keystores.entries()) {
    statuses.push(await importOne(ports, text, passwords[index] ?? ""));
  }
  return statuses;
}

async function importOne(ports: KeyManagerPorts, text: string, password: string): Promise<KeyStatus> {
  const { keyring, folder } = ports;
  try {
    const keystore = parseKeystore(text);
    if (isKnown(keyring, keystore)) return { status: "duplicate" };
    const secretKey = await decryptKeystoreInBackground(keystore, password);
    const publicKey = toHex(blsPublicKey(secretKey));
    if (keyring.has(publicKey)) return { status: "duplicate" };
    await folder.put(publicKey, text, password);
    const origin = {
      kind: "imported" as const,
      path: folder.pathOf(publicKey),
      derivationPath: keystore.path,
    };
    keyring.set(publicKey, { kind: "local", secretKey, origin });
    ports.onAdded([publicKey]);
    return { status: "imported" };
  } catch (error) {
    return { status: "error", message: reasonOf(error) };
  }
}

/** Told by the name a keystore gives its key, before a second of work for it. */
function isKnown(keyring: KeyManagerPorts["keyring"], { pubkey }: Keystore): boolean {
  return pubkey !== undefined && keyring.has(`0x${pubkey.toLowerCase()}`);
}

async function deleteAll(ports: KeyManagerPorts, publicKeys: readonly Hex[]) {
  const { protection, genesisValidatorsRoot } = ports;
  const statuses: KeyStatus[] = [];
  const handedOn = new Set<Hex>();
  for (const publicKey of publicKeys) {
    const status = await deleteOne(ports, publicKey);
    statuses.push(status);
    if (status.status === "deleted" || status.status === "not_active") handedOn.add(publicKey);
  }
  // Read when none of these keys can sign any more.
  const histories = [...handedOn].map((publicKey) => protection.historyOf(publicKey));
  return { statuses, slashingProtection: encodeInterchange(histories, genesisValidatorsRoot) };
}

/** First the key cannot sign, then its files go; a key whose files stay would be back after a restart, so it goes on. */
async function deleteOne(ports: KeyManagerPorts, publicKey: Hex): Promise<KeyStatus> {
  const { keyring, folder, protection } = ports;
  const key = keyring.get(publicKey);
  if (key === undefined) {
    const { attestation, block } = protection.historyOf(publicKey);
    const isUnknown = attestation === undefined && block === undefined;
    return { status: isUnknown ? "not_found" : "not_active" };
  }
  if (key.kind === "remote") {
    return {
      status: "error",
      message: `it is at the signer ${key.url}, and still used: delete it by /eth/v1/remotekeys`,
    };
  }
  const { origin } = key;
  if (origin.kind === "interop") {
    return { status: "error", message: "a development key of --interop-keys: start without it instead" };
  }
  keyring.delete(publicKey);
  try {
    await (origin.kind === "imported" ? folder.remove(publicKey) : removeFile(origin.path));
  } catch (error) {
    keyring.set(publicKey, key);
    return { status: "error", message: `the key still signs: ${reasonOf(error)}` };
  }
  ports.onRemoved([publicKey]);
  return { status: "deleted" };
}

async function importRemoteKey(
  { keyring, folder, defaultSigner, onAdded }: KeyManagerPorts,
  { publicKey, url = defaultSigner }: RemoteKeyImport,
): Promise<KeyStatus> {
  if (keyring.has(publicKey)) return { status: "duplicate" };
  if (url === undefined) return { status: "error", message: "no url, and the node has no --remote-signer" };
  try {
    await folder.putRemote(publicKey, url);
  } catch (error) {
    return { status: "error", message: reasonOf(error) };
  }
  keyring.set(publicKey, { kind: "remote", url, origin: { kind: "imported" } });
  onAdded([publicKey]);
  return { status: "imported" };
}

/** Its history stays here and with the signer, which is who may not sign twice. */
async function deleteRemoteKey(
  { keyring, folder, onRemoved }: KeyManagerPorts,
  publicKey: Hex,
): Promise<KeyStatus> {
  const key = keyring.get(publicKey);
  if (key?.kind !== "remote") return { status: "not_found" };
  if (key.origin.kind === "flag") {
    return {
      status: "error",
      message: "a key of --remote-signer: name the others by --remote-keys and start again",
    };
  }
  keyring.delete(publicKey);
  try {
    await folder.removeRemote(publicKey);
  } catch (error) {
    keyring.set(publicKey, key);
    return { status: "error", message: `the key is still used: ${reasonOf(error)}` };
  }
  onRemoved([publicKey]);
  return { status: "deleted" };
}

async function eachInTurn<T>(
  items: readonly T[],
  use: (item: T) => Promise<KeyStatus>,
): Promise<readonly KeyStatus[]> {
  const statuses: KeyStatus[] = [];
  for (const item of items) statuses.push(await use(item));
  return statuses;
}

function reasonOf(error: unknown): string {
  if (error instanceof KeystoreError) return describeKeystoreFault(error.detail);
  return error instanceof Error ? error.message : String(error);
}
