/** The validator keys this node signs with, by public key. See specs/node/validator-keys.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  decryptKeystoreInBackground,
  describeKeystoreFault,
  KeystoreError,
  parseKeystore,
} from "../../keys/keystore.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hex, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { readKeyFolder, readRemoteKeys } from "./key-folder.ts";
import { wrongModeOf } from "./private-file.ts";
import { fetchRemoteKeys, reasonOf as remoteReasonOf } from "./remote-signer.ts";

/** Where a key came from, and so how it is removed. */
export type KeyOrigin =
  | { readonly kind: "interop" }
  /** A keystore of --keystores, or one that came over the keymanager API. */
  | { readonly kind: "keystore" | "imported"; readonly path: string; readonly derivationPath: string };

export type LocalKey = { readonly kind: "local"; readonly secretKey: Uint8Array; readonly origin: KeyOrigin };
/** A key that a signer elsewhere has. See specs/node/remote-signing.md. */
export type RemoteKey = {
  readonly kind: "remote";
  readonly url: string;
  /** By --remote-signer, or by the keymanager API. */
  readonly origin: { readonly kind: "flag" | "imported" };
};
export type ValidatorKey = LocalKey | RemoteKey;

/** By public key (48 bytes as lower-case hex). Only the keymanager changes it. */
export type Keyring = ReadonlyMap<Hex, ValidatorKey>;

export type KeyringSources = {
  /** The node's folder, with the keys it was given over the keymanager API. */
  readonly dir?: string;
  /** First and last index of well-known development keys. */
  readonly interop: { readonly first: number; readonly last: number } | undefined;
  /** A folder of EIP-2335 keystores, `*.json`, and the file with their password. */
  readonly keystores: { readonly dir: string; readonly passwordFile: string } | undefined;
  /** A signer elsewhere, and which of its keys: all it has when left out. */
  readonly remote?: { readonly url: string; readonly publicKeys: readonly Hex[] | undefined } | undefined;
  /** With the keymanager API a folder may be empty: keys come later, and go. */
  readonly mayBeEmpty?: boolean;
};

/** A keystore or its password that cannot be read; the message names the file. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

/** @throws KeyringError also for a key that is there twice: removing it in one place would not end its use. */
export async function loadKeyring(sources: KeyringSources): Promise<Map<Hex, ValidatorKey>> {
  const { interop, keystores, dir, remote, mayBeEmpty = false } = sources;
  const keys = new Map<Hex, ValidatorKey>();
  if (interop !== undefined) {
    for (let index = interop.first; index <= interop.last; index++) {
      const secretKey = interopSecretKey(index);
      addLocal(keys, { kind: "local", secretKey, origin: { kind: "interop" } });
    }
  }
  if (keystores !== undefined) {
    const password = readPassword(keystores.passwordFile);
    const paths = keystoresIn(keystores.dir);
    if (paths.length === 0 && !mayBeEmpty)
      throw new KeyringError(`${keystores.dir} holds no keystore (*.json)`);
    for (const path of paths) addLocal(keys, await openKeystore("keystore", path, readText(path), password));
  }
  for (const { path, text, password } of dir === undefined ? [] : rethrown(() => readKeyFolder(dir))) {
    addLocal(keys, await openKeystore("imported", path, text, password));
  }
  if (remote !== undefined) {
    const { url } = remote;
    for (const publicKey of remote.publicKeys ?? (await listedBy(url)))
      addKey(keys, publicKey, { kind: "remote", url, origin: { kind: "flag" } });
  }
  for (const { publicKey, url } of dir === undefined ? [] : rethrown(() => readRemoteKeys(dir))) {
    addKey(keys, publicKey, { kind: "remote", url, origin: { kind: "imported" } });
  }
  return keys;
}

/** Long enough for a signer that is just starting to say so. */
const LIST_TIMEOUT_MS = 10_000;

async function listedBy(url: string): Promise<readonly Hex[]> {
  try {
    return await fetchRemoteKeys(url, LIST_TIMEOUT_MS);
  } catch (cause) {
    throw new KeyringError(
      `the signer ${url} does not tell its keys: ${remoteReasonOf(cause)}; start it first, or name them by --remote-keys`,
      { cause },
    );
  }
}

function addLocal(keys: Map<Hex, ValidatorKey>, key: LocalKey): void {
  addKey(keys, toHex(blsPublicKey(key.secretKey)), key);
}

function placeOf(key: ValidatorKey): string {
  if (key.kind === "remote") return key.url;
  return key.origin.kind === "interop" ? "--interop-keys" : key.origin.path;
}

function addKey(keys: Map<Hex, ValidatorKey>, publicKey: Hex, key: ValidatorKey): void {
  const known = keys.get(publicKey);
  if (known !== undefined) {
    const places = [known, key].map(placeOf);
    throw new KeyringError(`the key ${publicKey} is there twice: in ${places.join(" and ")}; leave one out`);
  }
  keys.set(publicKey, key);
}

async function openKeystore(
  kind: "keystore" | "imported",
  path: string,
  text: string,
  password: string,
): Promise<LocalKey> {
  try {
    const keystore = parseKeystore(text);
    const secretKey = await decryptKeystoreInBackground(keystore, password);
    return { kind: "local", secretKey, origin: { kind, path, derivationPath: keystore.path } };
  } catch (cause) {
    const reason = cause instanceof KeystoreError ? describeKeystoreFault(cause.detail) : reasonOf(cause);
    throw new KeyringError(`${path}: ${reason}`, { cause });
  }
}

function rethrown<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new KeyringError(reasonOf(cause), { cause });
  }
}

function keystoresIn(dir: string): readonly string[] {
  try {
    const names = readdirSync(dir).filter((file) => file.endsWith(".json"));
    return names.sort().map((name) => join(dir, name));
  } catch (cause) {
    throw new KeyringError(`cannot read the keystores: ${reasonOf(cause)}`, { cause });
  }
}

function readText(path: string): string {
  try {
    assertMode(path, "encrypted");
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof KeyringError) throw cause;
    throw new KeyringError(`cannot read the keystore: ${reasonOf(cause)}`, { cause });
  }
}

function readPassword(path: string): string {
  try {
    assertMode(path, "secret");
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof KeyringError) throw cause;
    throw new KeyringError(`cannot read the password: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A password that others on the machine can read is no password; a keystore they can change may be another key. */
function assertMode(path: string, kind: "secret" | "encrypted"): void {
  const wrong = wrongModeOf(path, kind);
  if (wrong !== undefined) throw new KeyringError(wrong);
}
