/** Run as a process of its own: opens a database and writes until it is killed, saying what it committed. */
import { argv, stdout } from "node:process";
import { openDatabase } from "../../../node/storage/database.ts";
import type { Hash } from "../../../primitives/bytes.ts";

/** Entries of one write; all of them carry the number of the write. */
const ENTRIES_PER_WRITE = 200;

const [directory, chain] = argv.slice(2) as [string, Hash];
const database = await openDatabase({ directory, role: "execution", chain });
const table = database.table("entries");
stdout.write("opened\n");

for (let write = 1; ; write++) {
  await database.commit(() => {
    for (let i = 0; i < ENTRIES_PER_WRITE; i++)
      table.put(Uint8Array.of(1, i), Uint8Array.of(write >> 8, write & 255));
  });
  stdout.write(`${write}\n`);
}
