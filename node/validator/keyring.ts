/** The validator keys this node signs with, by public key. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decryptKeystore, parseKeystore } from "../../keys/keystore.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hex, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";

/** Secret keys by public key (48 bytes as hex). */
export type Keyring = ReadonlyMap<Hex, Uint8Array>;

export type KeyringSources = {
  /** First and last index of well-known development keys. */
  readonly interop: { readonly first: number; readonly last: number } | undefined;
  /** A folder of EIP-2335 keystores, `*.json`, and the file with their password. */
  readonly keystores: { readonly dir: string; readonly passwordFile: string } | undefined;
};

/** A keystore or its password that cannot be read; the message names the file. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

/** @throws KeyringError */
export function loadKeyring({ interop, keystores }: KeyringSources): Keyring {
  const secretKeys: Uint8Array[] = [];
  if (interop !== undefined) {
    for (let index = interop.first; index <= interop.last; index++) secretKeys.push(interopSecretKey(index));
  }
  if (keystores !== undefined) secretKeys.push(...readKeystores(keystores.dir, keystores.passwordFile));
  return new Map(secretKeys.map((secretKey) => [toHex(blsPublicKey(secretKey)), secretKey]));
}

function readKeystores(dir: string, passwordFile: string): Uint8Array[] {
  const password = readPassword(passwordFile);
  const files = filesOf(dir).filter((file) => file.endsWith(".json"));
  if (files.length === 0) throw new KeyringError(`${dir} holds no keystore (*.json)`);
  return files.sort().map((file) => {
    const path = join(dir, file);
    try {
      return decryptKeystore(parseKeystore(readFileSync(path, "utf8")), password);
    } catch (cause) {
      throw new KeyringError(`${path}: ${reasonOf(cause)}`, { cause });
    }
  });
}

function filesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (cause) {
    throw new KeyringError(`cannot read the keystores: ${reasonOf(cause)}`, { cause });
  }
}

function readPassword(path: string): string {
  try {
    assertPrivate(path);
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof KeyringError) throw cause;
    throw new KeyringError(`cannot read the password: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A password that others on the machine can read is no password. */
function assertPrivate(path: string): void {
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new KeyringError(`${path} is readable by others: run chmod 600 ${path}`);
  }
}
