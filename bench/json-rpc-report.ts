#!/usr/bin/env node
/** npm run bench:rpc: JSON-RPC beside anvil in one run, and where the time goes. Also a part of npm run bench. */
import "../node/polyfill.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installNativeBackends } from "../node/native/install.ts";
import { startSingleNode } from "../specs/support/single-node.ts";
import { startAnvil } from "./anvil.ts";
import { readCpuProfile } from "./cpu-profile.ts";
import { benchJsonRpc, type JsonRpcRates } from "./json-rpc.ts";

export type Line = (name: string, ...cells: string[]) => void;

const ROWS: { readonly [name in keyof JsonRpcRates]: string } = {
  chainId: "eth_chainId (the cost of a request)",
  balance: "eth_getBalance",
  call: "eth_call balanceOf of an ERC-20",
  logs: "eth_getLogs of ten transfers",
  accepted: "eth_sendRawTransaction accepted",
  included: "transfers included (30 M gas a block: 1 428)",
};

/** Threads that are looked into, and a file that only they run. */
const THREADS = [
  ["JSON-RPC thread", "rpc/dispatch"],
  ["call worker", "execution/call-worker.js"],
] as const;

const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString("en")} /s`;

export async function reportJsonRpc(line: Line): Promise<void> {
  const node = await startSingleNode();
  const ours = await benchJsonRpc({ ...node, evm: false });
  await node.stop();
  const anvil = await startAnvil();
  const theirs = anvil === undefined ? undefined : await benchJsonRpc({ ...anvil, evm: true });
  await anvil?.stop();

  line("\nJSON-RPC over HTTP, 32 connections, blocks of 1 s", "jurat", "anvil", "ratio");
  for (const [name, title] of Object.entries(ROWS) as [keyof JsonRpcRates, string][]) {
    const cells =
      theirs === undefined ? ["absent", ""] : [rate(theirs[name]), (ours[name] / theirs[name]).toFixed(2)];
    line(title, rate(ours[name]), ...cells);
  }

  // In a run of its own: a profiler slows what it watches.
  const directory = mkdtempSync(join(tmpdir(), "jurat-profile-"));
  const watched = await startSingleNode({ runtimeFlags: ["--cpu-prof", `--cpu-prof-dir=${directory}`] });
  await benchJsonRpc({ ...watched, evm: false });
  await watched.stop();
  for (const [title, marker] of THREADS) {
    line(`\nthe ${title}'s time in the same run, profiled`);
    for (const { name, percent } of readCpuProfile(directory, marker))
      line(`  ${name}`, `${percent.toFixed(1)} %`);
  }
  rmSync(directory, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installNativeBackends();
  await reportJsonRpc((name, ...cells) =>
    console.log(`${name.padEnd(52)}${cells.map((cell) => cell.padStart(14)).join("")}`),
  );
}
