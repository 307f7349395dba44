import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { open } from "lmdb";
import { type DatabaseOptions, openDatabase } from "../../node/storage/database.ts";
import { DatabaseError, type DatabaseErrorDetail } from "../../node/storage/database-error.ts";
import { compareBytes, type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { SCRATCH_CHAIN, withScratchDatabase } from "../support/scratch-database.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const chain = SCRATCH_CHAIN;
const otherChain: Hash = `0x${"bb".repeat(32)}`;
const holdDatabase = fileURLToPath(new URL("./processes/hold-database.js", import.meta.url));

async function refusal(options: DatabaseOptions): Promise<DatabaseErrorDetail> {
  try {
    await (await openDatabase(options)).close();
  } catch (error) {
    if (error instanceof DatabaseError) return error.detail;
    throw error;
  }
  throw new Error("the database opened");
}

describe("database: tables", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const change = fc.oneof(
    fc.record({ key: bytes, value: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ key: bytes, value: fc.constant(undefined) }),
  );

  it("hold what a sorted map holds after the same writes", async () => {
    await withScratchDatabase("execution", async (database) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change)), bytes, bytes, async (writes, a, b) => {
          const table = database.table(`run-${run++ % 8}`);
          database.write(() => [...table.range({})].forEach(({ key }) => void table.remove(key)));
          const model = new Map<string, { key: Uint8Array; value: Uint8Array }>();
          for (const [index, changes] of writes.entries()) {
            const apply = () => {
              for (const { key, value } of changes) {
                if (value === undefined) table.remove(key);
                else table.put(key, value);
              }
            };
            if (index % 2 === 0) database.write(apply);
            else await database.commit(apply);
            for (const { key, value } of changes) {
              if (value === undefined) model.delete(toHex(key));
              else model.set(toHex(key), { key, value });
            }
          }
          const sorted = [...model.values()].sort((x, y) => compareBytes(x.key, y.key));
          deepEqual([...table.range({})], sorted);
          for (const { key, value } of sorted) deepEqual(table.get(key), value);

          const [from, to] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
          const within = sorted.filter(
            ({ key }) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0,
          );
          deepEqual([...table.range({ from, to })], within);
          deepEqual([...table.range({ from, to, reverse: true })], within.toReversed());
          deepEqual([...table.range({ from, to, limit: 2 })], within.slice(0, 2));
        }),
        { numRuns: 60 },
      );
    });
  });

  it("give bytes that later reads and writes leave alone", async () => {
    await withScratchDatabase("execution", async (database) => {
      const table = database.table("entries");
      const key = Uint8Array.of(1);
      database.write(() => table.put(key, new Uint8Array(64).fill(1)));
      const before = table.get(key);
      database.write(() => table.put(key, new Uint8Array(64).fill(2)));
      table.get(key);
      deepEqual(before, new Uint8Array(64).fill(1));
    });
  });

  it("change only inside a write", async () => {
    await withScratchDatabase("execution", async (database) => {
      const table = database.table("entries");
      throws(() => table.put(Uint8Array.of(1), Uint8Array.of(1)), /inside a write/);
      throws(() => table.remove(Uint8Array.of(1)), /inside a write/);
    });
  });

  it("keep nothing of a write that throws, nested writes included", async () => {
    await withScratchDatabase("execution", async (database) => {
      const table = database.table("entries");
      const failing = () => {
        table.put(Uint8Array.of(1), Uint8Array.of(1));
        database.write(() => table.put(Uint8Array.of(2), Uint8Array.of(2)));
        throw new Error("interrupted");
      };
      throws(() => database.write(failing), /interrupted/);
      await rejects(database.commit(failing), /interrupted/);
      deepEqual([...table.range({})], []);
    });
  });
});

describe("database: writes and commits", () => {
  it("all count, exactly those that did not throw, however they are mixed", async () => {
    const step = fc.constantFrom("commit", "failing commit", "write", "failing write", "turn");
    await withScratchDatabase("execution", async (database) => {
      const table = database.table("entries");
      const key = Uint8Array.of(1);
      const count = () => table.get(key)?.[0] ?? 0;
      const raise = () => table.put(key, Uint8Array.of(count() + 1));
      const raiseAndFail = () => {
        raise();
        throw new Error("interrupted");
      };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 100 }), async (steps) => {
          database.write(() => table.put(key, Uint8Array.of(0)));
          const commits: Promise<void>[] = [];
          for (const kind of steps) {
            if (kind === "commit") commits.push(database.commit(raise));
            else if (kind === "failing commit") {
              commits.push(rejects(database.commit(raiseAndFail), /interrupted/));
            } else if (kind === "write") database.write(raise);
            else if (kind === "failing write") throws(() => database.write(raiseAndFail), /interrupted/);
            else await new Promise((resolve) => setImmediate(resolve));
          }
          await Promise.all(commits);
          equal(count(), steps.filter((kind) => kind === "commit" || kind === "write").length);
        }),
        { numRuns: 40 },
      );
    });
  });
});

describe("database: the right directory", () => {
  it("refuses another chain, another role and another schema, and then still opens rightly", async () => {
    await withScratchDirectory(async (directory) => {
      const options: DatabaseOptions = { directory, role: "execution", chain };
      await (await openDatabase(options)).close();
      deepEqual(await refusal({ ...options, chain: otherChain }), {
        code: "DATABASE_WRONG_CHAIN",
        directory,
        expected: otherChain,
        actual: chain,
      });
      deepEqual(await refusal({ ...options, role: "consensus" }), {
        code: "DATABASE_WRONG_ROLE",
        directory,
        expected: "consensus",
        actual: "execution",
      });

      await (await openDatabase(options)).close();
      const root = open({
        path: directory,
        noSubdir: false,
        maxDbs: 32,
        encoding: "binary",
        keyEncoding: "binary",
      });
      const identity = root.openDB("identity", { encoding: "binary", keyEncoding: "binary" });
      await identity.put(utf8ToBytes("schema"), utf8ToBytes("99"));
      await root.close();
      deepEqual(await refusal(options), {
        code: "DATABASE_WRONG_SCHEMA",
        directory,
        expected: 1,
        actual: 99,
      });
    });
  });

  it("opens for reading only what exists", async () => {
    await withScratchDirectory(async (directory) => {
      const options: DatabaseOptions = { directory, role: "execution", chain, readOnly: true };
      deepEqual(await refusal(options), { code: "DATABASE_MISSING", directory });
    });
  });

  it("lets a reader in the same process see what the writer commits", async () => {
    await withScratchDatabase("execution", async (database, options) => {
      const table = database.table("entries");
      const reader = await openDatabase({ ...options, readOnly: true });
      database.write(() => table.put(Uint8Array.of(1), Uint8Array.of(7)));
      reader.refresh();
      deepEqual(reader.table("entries").get(Uint8Array.of(1)), Uint8Array.of(7));
      await reader.close();
      database.write(() => table.put(Uint8Array.of(1), Uint8Array.of(8)));
      deepEqual(table.get(Uint8Array.of(1)), Uint8Array.of(8));
    });
  });

  it("refuses a second writer until the first has closed", async () => {
    await withScratchDirectory(async (directory) => {
      const options: DatabaseOptions = { directory, role: "execution", chain };
      const first = await openDatabase(options);
      deepEqual(await refusal(options), { code: "DATABASE_LOCKED", directory });
      await first.close();
      await (await openDatabase(options)).close();
    });
  });
});

describe("database: a killed process", () => {
  it("holds the lock while it lives, and leaves whole writes and no lock when killed while writing", async () => {
    await withScratchDirectory(async (directory) => {
      const options: DatabaseOptions = { directory, role: "execution", chain };
      const child = spawn(process.execPath, [holdDatabase, directory, chain], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      let reported = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        if (line === "opened") {
          deepEqual(await refusal(options), { code: "DATABASE_LOCKED", directory });
          continue;
        }
        reported = Number(line);
        if (reported >= 25 && !child.killed) child.kill("SIGKILL");
      }
      deepEqual(await exited, [null, "SIGKILL"]);

      const database = await openDatabase(options);
      const entries = [...database.table("entries").range({})];
      equal(entries.length, 200);
      const write = ((entries[0]?.value[0] ?? 0) << 8) | (entries[0]?.value[1] ?? 0);
      ok(write >= reported, "every write the child reported survived");
      for (const { value } of entries) deepEqual(value, Uint8Array.of(write >> 8, write & 255));
      await database.close();
    });
  });
});
