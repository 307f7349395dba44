/** Keys that came over the keymanager API, in the node's own folder. See specs/node/keymanager.md#on-disk. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hex } from "../../primitives/bytes.ts";
import { removeFile, writePrivateFile, wrongModeOf } from "./private-file.ts";

/** Name of the folder beside the node's databases. */
export const KEY_FOLDER = "keys";

export type StoredKeystore = {
  readonly publicKey: Hex;
  readonly path: string;
  readonly text: string;
  readonly password: string;
};

export type KeyFolder = {
  /** Where the keystore of a key is, or will be. */
  pathOf(publicKey: Hex): string;
  /** Keystore and password survive a power cut once this resolves. @throws what the file system says. */
  put(publicKey: Hex, keystore: string, password: string): Promise<void>;
  remove(publicKey: Hex): Promise<void>;
  /** A key at a signer elsewhere. */
  putRemote(publicKey: Hex, url: string): Promise<void>;
  removeRemote(publicKey: Hex): Promise<void>;
};

export function openKeyFolder(directory: string): KeyFolder {
  const folder = join(directory, KEY_FOLDER);
  const keystoreOf = (publicKey: Hex) => join(folder, `${publicKey}.json`);
  const passwordOf = (publicKey: Hex) => join(folder, `${publicKey}.password`);
  const remoteOf = (publicKey: Hex) => join(folder, `${publicKey}.remote`);
  return {
    pathOf: keystoreOf,
    // A keystore is there only with its password: written after it, removed before it.
    async put(publicKey, keystore, password) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await writePrivateFile(passwordOf(publicKey), password);
      await writePrivateFile(keystoreOf(publicKey), keystore);
    },
    async remove(publicKey) {
      await removeFile(keystoreOf(publicKey));
      await removeFile(passwordOf(publicKey));
    },
    async putRemote(publicKey, url) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await writePrivateFile(remoteOf(publicKey), `${url}\n`);
    },
    removeRemote: (publicKey) => removeFile(remoteOf(publicKey)),
  };
}

/** @throws Error naming a file that others can read, or what the file system says. */
export function readKeyFolder(directory: string): readonly StoredKeystore[] {
  const folder = join(directory, KEY_FOLDER);
  const names = namesIn(folder).flatMap((name) => /^(0x[0-9a-f]{96})\.json$/.exec(name)?.[1] ?? []);
  return names.sort().map((publicKey) => {
    const path = join(folder, `${publicKey}.json`);
    const passwordPath = join(folder, `${publicKey}.password`);
    for (const secret of [path, passwordPath]) {
      const wrong = wrongModeOf(secret, "secret");
      if (wrong !== undefined) throw new Error(wrong);
    }
    const [text, password] = [path, passwordPath].map((file) => readFileSync(file, "utf8")) as [
      string,
      string,
    ];
    return { publicKey: publicKey as Hex, path, text, password };
  });
}

/** Keys at signers elsewhere, and where those are. @throws as readKeyFolder does. */
export function readRemoteKeys(
  directory: string,
): readonly { readonly publicKey: Hex; readonly url: string }[] {
  const folder = join(directory, KEY_FOLDER);
  const names = namesIn(folder).flatMap((name) => /^(0x[0-9a-f]{96})\.remote$/.exec(name)?.[1] ?? []);
  return names.sort().map((publicKey) => {
    const path = join(folder, `${publicKey}.remote`);
    // Whoever can change it can have another signer asked.
    const wrong = wrongModeOf(path, "secret");
    if (wrong !== undefined) throw new Error(wrong);
    return { publicKey: publicKey as Hex, url: readFileSync(path, "utf8").trim() };
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
