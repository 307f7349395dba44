/** Removes old states at once and gives the room back to the disk. See specs/node/db.md#prune. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../storage/database.ts";
import { FinalizedState } from "../storage/finalized-state.ts";

/** Blocks whose history goes in one write: a few megabytes at most. */
const STEP_BLOCKS = 256;
const FILE = "data.mdb";

export type PruneReport = { readonly oldestState: number; readonly before: number; readonly after: number };

/**
 * @param directory of the execution database, which is open as `database` and is to be closed afterwards: the file is
 *   replaced under it.
 * @param historyBlocks states kept below the finalized one.
 */
export async function pruneExecution(
  database: Database,
  directory: string,
  historyBlocks: number,
): Promise<PruneReport> {
  const state = new FinalizedState(database, { historyBlocks });
  while (state.pruneHistory(STEP_BLOCKS)) await database.flushed();
  const before = statSync(join(directory, FILE)).size;
  await replaceByCopy(database, directory);
  return { oldestState: state.oldest(), before, after: statSync(join(directory, FILE)).size };
}

/** LMDB reuses pages but never gives them back: a copy holds only those in use. */
async function replaceByCopy(database: Database, directory: string): Promise<void> {
  const copy = join(directory, "compact");
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  await database.copyTo(copy);
  const file = openSync(join(copy, FILE), "r+");
  fsyncSync(file);
  closeSync(file);
  renameSync(join(copy, FILE), join(directory, FILE));
  rmSync(copy, { recursive: true, force: true });
}
