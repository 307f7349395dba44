#!/usr/bin/env node
/**
 * npm run bench:sync: a new node fetches a chain of 10 000 blocks from two others over loopback; blocks and transactions
 * per second, the processors it used, where the time went. `--dir` keeps the chain for the next run; `--kills` ends the
 * new node with kill -9 so many times on its way, and sees that it goes on from where it was.
 */
import "../node/polyfill.ts";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeChainSpecText } from "../node/genesis/make-chain-spec.ts";
import { type NodeProcess, startNode, stopNode } from "../testnet/node-process.ts";
import { type NodeStatus, nodeStatus } from "../testnet/node-status.ts";
import { type Part, readCpuProfile } from "./cpu-profile.ts";
import { growChain, TRANSACTIONS_PER_BLOCK } from "./sync-chain.ts";

const VALIDATORS = 4;
const SERVERS = 2;
const POLL_MS = 200;
/** The chain's last slot lies so far in the past that a slow machine can make it meanwhile. */
const MARGIN_SECONDS = 7200;

/** What the self time of a function counts as; the first that fits. */
const PARTS: readonly Part[] = [
  ["garbage collection", /^\(garbage collector\)/],
  ["BLS signatures", /blst|native\/bls/],
  ["account signatures", /secp256k1|ecdsa|recover/i],
  [
    "network and its encryption",
    /libp2p|yamux|noise|snappy|node:net|dist\/node\/network|multiformats|uint8array/i,
  ],
  ["hashes and SSZ trees", /hashtree|as-sha256|persistent-merkle-tree|chainsafe\/ssz|keccak|hash-wasm/],
  ["database", /lmdb|dist\/node\/storage/],
  ["tries and world state", /dist\/vm\/state/],
  ["execution", /dist\/vm\//],
  ["consensus", /dist\/consensus/],
  ["codecs", /dist\/primitives/],
  ["messages between threads", /postMessage|MessagePort|node:internal\/(worker|per_context|structured)/],
  ["the event loop, promises, native code", /node:|runMicrotasks|^\(program\)/],
];

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "10000" },
    dir: { type: "string" },
    "base-port": { type: "string", default: "22760" },
    "build-seconds": { type: "string", default: "3600" },
    profile: { type: "boolean", default: false },
    kills: { type: "string", default: "0" },
  },
});
const blocks = Number(values.blocks);
const kills = Number(values.kills);
const basePort = Number(values["base-port"]);
const dir = values.dir ?? mkdtempSync(join(tmpdir(), "jurat-bench-sync-"));
const specPath = join(dir, "chain-spec.json");
const source = join(dir, "source");

async function prepare(): Promise<boolean> {
  mkdirSync(source, { recursive: true });
  if (!existsSync(specPath)) {
    const atSeconds = Math.floor(Date.now() / 1000) - blocks - MARGIN_SECONDS;
    const text = makeChainSpecText(
      {
        ...{ preset: "testnet", name: "bench", chainId: 8700, genesisTime: { atSeconds }, devAccounts: true },
        ...{ interopValidators: VALIDATORS, withdrawalAddress: `0x${"11".repeat(20)}`, stake: 40 },
      },
      0,
    );
    writeFileSync(specPath, text);
  }
  const startMs = performance.now();
  const config = { dir: source, chainSpec: specPath };
  const height = await growChain(config, VALIDATORS, blocks, Number(values["build-seconds"]) * 1000);
  console.log(`a chain of ${height} blocks (${((performance.now() - startMs) / 1000).toFixed(0)} s)`);
  return height >= blocks;
}

/** @param number 0 is the new one. */
function launch(number: number, flags: readonly string[], isAgain = false): NodeProcess {
  const port = (offset: number) => String(basePort + 4 * number + offset);
  const others = Array.from({ length: SERVERS + 1 }, (_, other) => other).filter((other) => other !== number);
  const folder = join(dir, number === 0 ? "new" : `server-${number}`);
  if (!isAgain) rmSync(folder, { recursive: true, force: true });
  if (number > 0) cpSync(source, folder, { recursive: true });
  const args = [
    ...["--dir", folder, "--chain-spec", specPath, "--rpc-port", port(0), "--p2p-port", port(1)],
    ...["--metrics-port", port(2), "--beacon-port", port(3), "--bootstrap"],
    ...others.map((other) => `/ip4/127.0.0.1/tcp/${basePort + 4 * other + 1}`),
  ];
  return startNode({ number, dir: folder, rpcPort: Number(port(0)), args, runtimeFlags: flags });
}

/** The first status that fits; asked as often as a status may be answered late. */
async function until(node: NodeProcess, fits: (status: NodeStatus) => boolean): Promise<NodeStatus> {
  for (;;) {
    const status = await nodeStatus(node.url);
    if (status !== undefined && fits(status)) return status;
    if (node.process.exitCode !== null) throw new Error(node.lastWords());
    await pause(POLL_MS);
  }
}

async function measure(): Promise<void> {
  const servers = Array.from({ length: SERVERS }, (_, index) => launch(index + 1, []));
  const profiles = join(dir, "profiles");
  rmSync(profiles, { recursive: true, force: true });
  try {
    for (const server of servers) await until(server, ({ headNumber }) => headNumber >= blocks);
    const flags = values.profile ? ["--cpu-prof", `--cpu-prof-dir=${profiles}`] : [];
    let fresh = launch(0, flags);
    try {
      for (let kill = 1; kill <= kills; kill++) {
        fresh = await killAt(fresh, Math.floor((blocks * kill) / (kills + 1)), flags);
      }
      const first = await until(fresh, ({ headNumber }) => headNumber > 0);
      const startMs = performance.now();
      const last = await until(fresh, ({ headNumber }) => headNumber >= blocks);
      report(first, last, (performance.now() - startMs) / 1000);
    } finally {
      await stopNode(fresh);
    }
    if (values.profile) printProfiles(profiles);
  } finally {
    await Promise.all(servers.map(stopNode));
  }
}

/** @throws when the node that is started again has forgotten what it told of. */
async function killAt(node: NodeProcess, height: number, flags: readonly string[]): Promise<NodeProcess> {
  const before = await until(node, ({ headNumber }) => headNumber >= height);
  node.process.kill("SIGKILL");
  await once(node.process, "exit");
  const again = launch(0, flags, true);
  const after = await until(again, () => true);
  console.log(`killed at block ${before.headNumber}, started again at ${after.headNumber}`);
  if (after.headNumber < before.headNumber) throw new Error("blocks are lost");
  return again;
}

function report(first: NodeStatus, last: NodeStatus, seconds: number): void {
  const imported = last.headNumber - first.headNumber;
  const processors = (last.cpuMs - first.cpuMs) / 1000 / seconds;
  const row = (name: string, value: number) =>
    console.log(`${name.padEnd(52)}${value.toFixed(2).padStart(12)}`);
  row(`blocks per second (${imported} blocks)`, imported / seconds);
  row("transactions per second", (imported * TRANSACTIONS_PER_BLOCK) / seconds);
  row("processors in use", processors);
  row("milliseconds of processor time per block", (last.cpuMs - first.cpuMs) / imported);
  row("blocks per second of one processor", imported / ((last.cpuMs - first.cpuMs) / 1000));
}

function printProfiles(profiles: string): void {
  for (const [thread, marker] of [
    ["consensus thread", "node/chain/chain.js"],
    ["execution thread", "node/execution/worker.js"],
  ] as const) {
    console.log(`\n${thread}`);
    for (const { name, percent } of readCpuProfile(profiles, marker, PARTS)) {
      console.log(`${name.padEnd(52)}${percent.toFixed(1).padStart(11)}%`);
    }
  }
}

try {
  if (await prepare()) await measure();
  else console.log("run it again with the same --dir to go on");
} finally {
  if (values.dir === undefined) rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
