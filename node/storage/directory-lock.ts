/** One process per data directory, by a lock the kernel drops when the holder dies. See specs/node/storage.md#the-lock. */
import { createHash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { DatabaseError } from "./database-error.ts";

/** Held until `release` or the end of the process, however it ends. */
export type DirectoryLock = { release(): Promise<void> };

/**
 * Creates the directory if it is missing and locks it.
 *
 * The lock is a listening socket named after the directory's device and inode, so two paths to one
 * directory are one lock. On Linux the name lives in the abstract namespace and on Windows it is a
 * pipe: both vanish with the process, also after kill -9. Elsewhere it is a socket file, and one that
 * nobody listens on is taken over.
 *
 * @throws DatabaseError DATABASE_LOCKED when another process, or another opener in this one, holds it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  makeFolder(directory);
  const { dev, ino } = statSync(directory, { bigint: true });
  const name = `jurat-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32)}`;

  let server = await listen(socketPath(name));
  if (server === undefined && isSocketFile() && !(await isAnswered(socketPath(name)))) {
    rmSync(socketPath(name), { force: true });
    server = await listen(socketPath(name));
  }
  if (server === undefined) throw new DatabaseError({ code: "DATABASE_LOCKED", directory });

  server.unref();
  const held = server;
  return { release: () => new Promise((resolve) => held.close(() => resolve())) };
}

function isSocketFile(): boolean {
  return process.platform !== "linux" && process.platform !== "win32";
}

function socketPath(name: string): string {
  if (process.platform === "linux") return `\0${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  // Not inside the directory: socket paths are limited to about a hundred bytes.
  return join(tmpdir(), name);
}

/** Undefined when the name is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => resolve(server));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
