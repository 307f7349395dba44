/** A database that exists for the length of one test. */
import { type Database, type DatabaseOptions, openDatabase } from "../../node/storage/database.ts";
import { withScratchDirectory } from "./scratch-directory.ts";

/** Identity of the chain that scratch databases belong to. */
export const SCRATCH_CHAIN = `0x${"aa".repeat(32)}` as const;

/** Runs `body` with a fresh, open database; closes and removes it afterwards. */
export async function withScratchDatabase<T>(
  role: DatabaseOptions["role"],
  body: (database: Database, options: DatabaseOptions) => Promise<T>,
): Promise<T> {
  return withScratchDirectory(async (directory) => {
    const options: DatabaseOptions = { directory, role, chain: SCRATCH_CHAIN };
    const database = await openDatabase(options);
    try {
      return await body(database, options);
    } finally {
      await database.close();
    }
  });
}
