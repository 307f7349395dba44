/** Files of the wallet: read with a clear reason when that fails, written for their owner only and never half. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { type ExitKind, WalletError } from "./wallet-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is no folder",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
};

/** Text of a file, or of standard input when the path is `-`. @throws WalletError of `kind` saying why not. */
export function readText(path: string, what: string, kind: ExitKind = "file"): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (cause) {
    throw new WalletError(kind, `cannot read ${what} ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** Writes a file that must not exist. Mode 0600, folder 0700. @throws WalletError (key) when it exists, (file) otherwise. */
export function createPrivateFile(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeSynced(path, text);
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") {
      throw new WalletError("key", `${path} exists already; choose another --name`, { cause });
    }
    throw new WalletError("file", `cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Replaces a file at once: a reader sees the old text or the new one. The file beside it that carries the new
 * text is also the lock, so that two programs cannot both change it.
 * @throws WalletError (file) when another program holds the lock or the file cannot be written.
 */
export function replacePrivateFile(path: string, change: () => string): void {
  const pending = `${path}.new`;
  const file = lock(path, pending);
  try {
    writeFileSync(file, change());
    fsyncSync(file);
    renameSync(pending, path);
  } catch (error) {
    rmSync(pending, { force: true });
    if (error instanceof WalletError) throw error;
    throw new WalletError("file", `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  } finally {
    closeSync(file);
  }
}

function lock(path: string, pending: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(pending, "wx", 0o600);
  } catch (cause) {
    const reason =
      codeOf(cause) === "EEXIST"
        ? `${path} is locked: another wallet is writing it. If none is running, remove ${pending}`
        : `cannot write ${path}: ${reasonOf(cause)}`;
    throw new WalletError("file", reason, { cause });
  }
}

/** The text is on the disk before this returns: a key must survive a power cut that follows. */
function writeSynced(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}

function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
