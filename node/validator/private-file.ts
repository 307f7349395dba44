/** Files with secrets: whole or not at all on disk, and for their owner's eyes only. See specs/node/validator-keys.md#file-modes. */
import { statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** What others may not do with a file that is a secret, and with one that is encrypted. */
const SECRET_BITS = 0o077;
const ENCRYPTED_BITS = 0o027;

/**
 * Writes or replaces a file, mode 0600. When it resolves the file survives a power cut; a crash before leaves what was there.
 * @throws what the file system says.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const pending = `${path}.new`;
  // Left by a crash, with whatever mode somebody gave it since.
  await rm(pending, { force: true });
  const file = await open(pending, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(pending, path);
  await syncFolder(dirname(path));
}

/** Removes a file, if it is there, so that it stays removed after a power cut. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  // Windows keeps no such promise and opens no folder.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Why a file's mode is wrong, and what to do; undefined when it is right. @throws what the file system says. */
export function wrongModeOf(path: string, kind: "secret" | "encrypted"): string | undefined {
  if (process.platform === "win32") return undefined;
  const { mode } = statSync(path);
  if ((mode & (kind === "secret" ? SECRET_BITS : ENCRYPTED_BITS)) === 0) return undefined;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const what = kind === "secret" ? "is open to others" : "is open to everyone or may be changed by others";
  return `${path} ${what} (mode ${octal}): run chmod 600 ${path}`;
}
