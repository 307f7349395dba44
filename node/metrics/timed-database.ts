/** A database whose writes are timed. See specs/node/metrics.md#database. */
import type { Database } from "../storage/database.ts";

/** `write` blocks the thread, `commit` does not. */
export type WriteKind = "write" | "commit";

/** @param onWritten told how long each write took, in seconds, also of one that failed; never of one inside another. */
export function timedDatabase(
  database: Database,
  onWritten: (kind: WriteKind, seconds: number) => void,
): Database {
  let isInside = false;
  const inside =
    <T>(action: () => T) =>
    (): T => {
      isInside = true;
      try {
        return action();
      } finally {
        isInside = false;
      }
    };
  const since = (startMs: number) => (performance.now() - startMs) / 1000;
  return {
    table: (name) => database.table(name),
    write(action) {
      if (isInside) return database.write(action);
      const startMs = performance.now();
      try {
        return database.write(inside(action));
      } finally {
        onWritten("write", since(startMs));
      }
    },
    async commit(action) {
      const startMs = performance.now();
      try {
        return await database.commit(inside(action));
      } finally {
        onWritten("commit", since(startMs));
      }
    },
    flushed: () => database.flushed(),
    copyTo: (directory) => database.copyTo(directory),
    refresh: () => database.refresh(),
    close: () => database.close(),
  };
}
