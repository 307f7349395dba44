import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { open } from "lmdb";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { describeStartFailure } from "../../node/start-failure.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { utf8ToBytes } from "../../primitives/bytes.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const PROGRAM = join(PROJECT_ROOT, "dist/node/main.js");
const FREE_PORTS = ["--rpc-port", "0", "--p2p-port", "0", "--metrics-port", "0", "--beacon-port", "0"];

type Ended = { readonly code: number | null; readonly errors: string };

function launch(args: readonly string[]): { readonly process: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, "run", ...FREE_PORTS, "--single-node", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, errors }));
  return { process: child, ended };
}

/** The exit code and the line for the operator. */
async function refusal(...args: string[]): Promise<{ readonly code: number | null; readonly line: string }> {
  const { code, errors } = await launch(args).ended;
  const lines = errors.split("\n").filter((line) => line.startsWith("jurat: "));
  equal(lines.length, 1, errors);
  ok(!errors.includes("    at "), `no stack: ${errors}`);
  return { code, line: lines[0] ?? "" };
}

function writeSpec(dir: string, genesisTime: number): string {
  const options = parseTestnetOptions(["--dir", dir, "--nodes", "1"]);
  return prepareNetwork(options, genesisTime, readSystemAllocation()).specPath;
}

describe("a node that cannot start", function () {
  this.timeout(60_000);
  let root: string;
  let spec: string;
  /** A folder that a node made and left in order. */
  let used: string;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "jurat-start-"));
    spec = writeSpec(join(root, "net"), 1_800_000_000);
    used = join(root, "used");
    const node = launch(["--dir", used, "--chain-spec", spec]);
    await once(createInterface({ input: node.process.stdout! }), "line");
    const second = await refusal("--dir", used, "--chain-spec", spec);
    equal(second.code, 4);
    match(second.line, /in use by another process/);
    equal(node.process.exitCode, null, "the first process goes on");
    node.process.kill("SIGTERM");
    equal((await node.ended).code, 0);
  });

  after(() => rmSync(root, { recursive: true, force: true }));

  it("says what is wrong with the chain spec", async () => {
    const missing = await refusal("--dir", used, "--chain-spec", join(root, "missing.json"));
    deepEqual([missing.code, /missing\.json/.test(missing.line)], [3, true]);
    const path = join(root, "bad.json");
    writeFileSync(path, '{"name": 1}');
    const invalid = await refusal("--dir", used, "--chain-spec", path);
    deepEqual([invalid.code, /bad\.json is no chain spec:$/.test(invalid.line)], [3, true]);
  });

  it("says which keystore it cannot read, and why", async () => {
    const keys = join(root, "keys");
    const password = join(root, "password");
    mkdirSync(keys);
    writeFileSync(password, "secret\n", { mode: 0o600 });
    const flags = ["--dir", used, "--chain-spec", spec, "--fee-recipient", `0x${"11".repeat(20)}`];
    const start = () => refusal(...flags, "--keystores", keys, "--password-file", password);
    match((await start()).line, /holds no keystore/);
    writeFileSync(join(keys, "key.json"), "{}", { mode: 0o600 });
    const broken = await start();
    equal(broken.code, 3);
    match(broken.line, /key\.json: the file is no validator keystore \(EIP-2335\): crypto/);
  });

  it("says that its folder is no folder", async () => {
    const { code, line } = await refusal("--dir", spec, "--chain-spec", spec);
    equal(code, 4);
    ok(line.includes(spec));
  });

  it("says that its folder cannot be made, also where Node itself tries for ever", async () => {
    for (const [dir, reason] of [
      ["/proc/nothing/node", /ENOENT.*mkdir '\/proc\/nothing'/],
      [join(spec, "node"), /ENOTDIR.*chain-spec\.json\/node'/],
    ] as const) {
      const { code, line } = await refusal("--dir", dir, "--chain-spec", spec);
      equal(code, 4, line);
      match(line, reason);
    }
  });

  it("refuses a folder of another chain", async () => {
    const other = writeSpec(join(root, "other"), 1_800_000_001);
    const { code, line } = await refusal("--dir", used, "--chain-spec", other);
    equal(code, 4);
    match(line, /belongs to another chain/);
  });

  it("refuses a database that is cut off, on either thread, and leaves it as it is", async () => {
    for (const role of ["execution", "validator"]) {
      const dir = join(root, `cut-${role}`);
      cpSync(used, dir, { recursive: true });
      const file = join(dir, role, "data.mdb");
      truncateSync(file, 8192);
      const before = readFileSync(file);
      const { code, line } = await refusal("--dir", dir, "--chain-spec", spec);
      equal(code, 4, line);
      match(line, /is damaged: data\.mdb was cut off at 8192 bytes/);
      ok(line.includes(join(dir, role)));
      deepEqual(readFileSync(file), before);
    }
  });

  it("names each port that is in use", async () => {
    const taken: Server = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    for (const flag of ["--rpc-port", "--p2p-port", "--metrics-port", "--beacon-port"]) {
      const { code, line } = await refusal("--dir", used, "--chain-spec", spec, flag, String(port));
      equal(code, 5, line);
      ok(line.includes(String(port)));
    }
    taken.close();
  });

  it("still starts in the folder in which all this failed", async () => {
    const node = launch(["--dir", used, "--chain-spec", spec]);
    await once(createInterface({ input: node.process.stdout! }), "line");
    node.process.kill("SIGTERM");
    equal((await node.ended).code, 0);
  });
});

describe("a damaged database", () => {
  it("is told from a new one and never opened", async () => {
    await withScratchDatabase("validator", async (database, options) => {
      const table = database.table("entries");
      for (let i = 0; i < 50; i++) database.write(() => table.put(Uint8Array.of(i), new Uint8Array(500)));
      await database.close();
      const file = join(options.directory, "data.mdb");
      const whole = readFileSync(file);
      const { size } = statSync(file);
      const cases: readonly (readonly [string, Uint8Array])[] = [
        ["text", utf8ToBytes("not a database")],
        ["garbage at the start", Buffer.concat([Buffer.alloc(16_384, 0x55), whole.subarray(16_384)])],
        ["cut in half", whole.subarray(0, size >> 1)],
        ["cut to its first pages", whole.subarray(0, 8192)],
        [
          "garbage after the first pages",
          Buffer.concat([whole.subarray(0, 16_384), Buffer.alloc(size - 16_384, 0x55)]),
        ],
      ];
      for (const [name, bytes] of cases) {
        writeFileSync(file, bytes);
        const error = await openDatabase(options).catch((thrown: unknown) => thrown);
        const { message, exitCode } = describeStartFailure(error);
        deepEqual([name, exitCode], [name, 4]);
        match(message, /is damaged/);
      }
      writeFileSync(file, whole);
      const again = await openDatabase(options);
      equal([...again.table("entries").range({})].length, 50);
      await again.close();
    });
  });

  it("is not what a directory is called that cannot be written", async () => {
    await withScratchDirectory(async (directory) => {
      const file = join(directory, "file");
      writeFileSync(file, "");
      const options = { directory: file, role: "consensus", chain: `0x${"aa".repeat(32)}` } as const;
      const error = await openDatabase(options).catch((thrown: unknown) => thrown);
      match(describeStartFailure(error).message, /cannot be written/);
      const denied = Object.assign(new Error("EROFS: read-only file system, open"), {
        code: "EROFS",
        syscall: "open",
      });
      deepEqual(describeStartFailure(denied), { exitCode: 4, message: denied.message });
    });
  });

  it("of another schema is named as such", async () => {
    await withScratchDatabase("consensus", async (database, options) => {
      await database.close();
      const lmdb = open({
        path: options.directory,
        noSubdir: false,
        maxDbs: 32,
        encoding: "binary",
        keyEncoding: "binary",
      });
      const identity = lmdb.openDB("identity", { encoding: "binary", keyEncoding: "binary" });
      await identity.put(utf8ToBytes("schema"), utf8ToBytes("99"));
      await lmdb.close();
      const error = await openDatabase(options).catch((thrown: unknown) => thrown);
      match(describeStartFailure(error).message, /written by another version .*schema 99, this one reads 1/);
    });
  });
});
