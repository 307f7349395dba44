/** Writes more than its disk holds, by a commit or by a write, and says how it ended. */
import "../../../node/polyfill.ts";
import { type Database, openDatabase } from "../../../node/storage/database.ts";
import { DatabaseError } from "../../../node/storage/database-error.ts";
import { SCRATCH_CHAIN } from "../../support/scratch-database.ts";

const TOO_MUCH_BYTES = 2 ** 25;

/** Inside a write. */
export function putThing(database: Database, key: number, bytes: number): void {
  database.table("things").put(Uint8Array.of(key), new Uint8Array(bytes).fill(key));
}

const [, program = "", directory, kind] = process.argv;
if (program.endsWith("fill-disk.js") && directory !== undefined) {
  // lmdb rejects a promise of its own besides ours.
  process.on("unhandledRejection", () => undefined);
  const database = await openDatabase({ directory, role: "execution", chain: SCRATCH_CHAIN });
  const put = () => putThing(database, 2, TOO_MUCH_BYTES);
  try {
    if (kind === "commit") await database.commit(put);
    else database.write(put);
  } catch (error) {
    const detail = error instanceof DatabaseError ? error.detail : undefined;
    console.log(detail?.code, detail !== undefined && "directory" in detail ? detail.directory : error);
  }
  process.exit();
}
