import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { createDiskWatch } from "../../node/disk-watch.ts";
import { openDatabase } from "../../node/storage/database.ts";
import type { DatabaseError } from "../../node/storage/database-error.ts";
import { FULL_DISK_BYTES } from "../../node/storage/disk-room.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { SCRATCH_CHAIN } from "../support/scratch-database.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { withSmallDisk } from "../support/small-disk.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { putThing } from "./processes/fill-disk.ts";

const MEGABYTE = 2 ** 20;
const PROGRAM = join(PROJECT_ROOT, "dist/node/main.js");
const WRITER = join(PROJECT_ROOT, "dist/specs/node/processes/fill-disk.js");

describe("a disk that fills up", () => {
  it("keeps the node from making blocks until there is a tenth more, and stops it before it is full", () => {
    let free = 0;
    const said: string[] = [];
    const note = (_: unknown, text: string) => void said.push(text);
    const watch = createDiskWatch({
      minimumBytes: 100 * MEGABYTE,
      freeBytes: () => free,
      onFull: (bytes) => void said.push(`full at ${bytes / MEGABYTE}`),
      log: { warn: note, info: note } as never,
    });
    const seen = [200, 99, 50, 15, 100, 109, 110, 100].map((bytes) => {
      free = bytes * MEGABYTE;
      return watch.isShort();
    });
    deepEqual(seen, [false, true, true, true, true, true, false, false]);
    deepEqual(said, [
      "the disk is nearly full: no blocks of ours until there is room",
      "full at 15",
      "there is room on the disk again",
    ]);
  });

  it("that refuses a write keeps what was written before, however the writer ended", async function () {
    this.timeout(60_000);
    await withSmallDisk(this, 48 * MEGABYTE, async (disk) => {
      const directory = join(disk.path, "db");
      const options = { directory, role: "execution", chain: SCRATCH_CHAIN } as const;
      const before = await openDatabase(options);
      await before.commit(() => putThing(before, 1, MEGABYTE));
      await before.close();
      disk.fill(FULL_DISK_BYTES + MEGABYTE);
      for (const kind of ["commit", "write"]) {
        // LMDB may take the process with it: then nothing is said at all, and nothing claimed.
        const { stdout } = spawnSync(process.execPath, [WRITER, directory, kind], { encoding: "utf8" });
        ok(["", `DATABASE_WRITE_FAILED ${directory}\n`].includes(stdout), stdout);
      }

      disk.empty();
      const after = await openDatabase(options);
      const keys = () => [...after.table("things").range({})].map(({ key }) => key[0]);
      deepEqual(keys(), [1]);
      await after.commit(() => putThing(after, 2, 2 * MEGABYTE));
      after.write(() => putThing(after, 3, MEGABYTE));
      deepEqual(keys(), [1, 2, 3]);
      await after.close();
      disk.fill(MEGABYTE);
      const detail = { code: "DATABASE_NO_ROOM", directory, neededBytes: FULL_DISK_BYTES };
      await rejects(openDatabase(options), (error: DatabaseError) => {
        deepEqual({ ...error.detail, freeBytes: 0 }, { ...detail, freeBytes: 0 });
        return true;
      });
    });
  });

  it("ends a node with exit code 4 and the name of the folder, at its start and later", async function () {
    this.timeout(90_000);
    await withScratchDirectory(async (directory) => {
      const options = parseTestnetOptions(["--dir", join(directory, "net"), "--nodes", "1"]);
      const genesisTime = Math.floor(Date.now() / 1000) - 1;
      const { specPath } = prepareNetwork(options, genesisTime, readSystemAllocation());
      await withSmallDisk(this, 40 * MEGABYTE, async (disk) => {
        const dir = join(disk.path, "node");
        const start = () => startNode(dir, specPath);
        disk.fill(MEGABYTE);
        const refused = await start().ended;
        equal(refused.code, 4, refused.errors);
        match(refused.errors, /^jurat: the disk of .*small-disk.* is full: /m);
        disk.empty();

        const node = start();
        await node.ready;
        disk.fill(8 * MEGABYTE);
        const { code, errors } = await node.ended;
        equal(code, 4, errors);
        match(errors, /FATAL the disk of .*small-disk.* is full: .* Make room and start again/);
        match(errors, /stopped$/m);
      });
    });
  });
});

function startNode(dir: string, specPath: string) {
  const ports = ["rpc", "p2p", "metrics", "beacon"].flatMap((name) => [`--${name}-port`, "0"]);
  const flags = ["--interop-keys", "0", "--fee-recipient", `0x${"11".repeat(20)}`, "--min-free-disk", "0"];
  const child = spawn(
    process.execPath,
    [PROGRAM, "run", "--single-node", "--dir", dir, "--chain-spec", specPath, ...ports, ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    errors: String(Buffer.concat(errors)),
  }));
  return { ready: once(child.stdout, "data"), ended };
}
