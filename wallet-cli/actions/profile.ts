/** Gas by TypeScript line: of a call, a transaction, a range of blocks, or all that a command's transactions ran. See specs/rpc/profile.md. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { artifactFolder } from "../../contracts/build/artifact-folder.ts";
import { GasProfile, type ProfiledRun } from "../../rpc/gas-profile.ts";
import { SourceMaps } from "../../rpc/source-maps.ts";
import type { ProfileCallFlags, ProfileFlags, ProfileRunFlags } from "../commands/profile.ts";
import { loadArtifact } from "../contract-artifact.ts";
import { encodeCall, resolveContract } from "../contract-call.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { note, printResult } from "../output.ts";
import { quantity } from "../quantity.ts";
import { NodeRefusal, WalletError } from "../wallet-error.ts";
import { senderFields } from "./calls.ts";

/** Where `jurat-wallet build` writes. */
const DEFAULT_FOLDER = "artifacts";
const TRACER = { tracer: "jsTracer", tracerConfig: { withTree: true } };

export async function profileCall(
  to: string,
  signature: string | undefined,
  texts: readonly string[],
  flags: ProfileCallFlags,
): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const contract = await resolveContract(client, to, flags);
  const { data, item } = await encodeCall(contract.abi, signature, texts, flags);
  const request = { to: contract.address, data, ...(await senderFields(flags)) };
  const run = await trace<ProfiledRun>(client, "debug_traceCall", [request, "latest", TRACER]);
  const profile = new GasProfile();
  const name = item?.name ?? data.slice(0, 10);
  profile.add(name, named(run, await readMaps(flags)));
  finish(profile, name, flags);
}

export async function profileTransaction(hash: string, flags: ProfileFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const profile = new GasProfile();
  const run = await trace<ProfiledRun>(client, "debug_traceTransaction", [hash, TRACER]);
  profile.add(hash, named(run, await readMaps(flags)));
  finish(profile, hash, flags);
}

export async function profileBlocks(first: string, last: string, flags: ProfileFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const head = Number(await client.request<string>("eth_blockNumber"));
  const [from, to] = [first, last].map((text) => (text === "latest" ? head : Number(text)));
  if (from === undefined || to === undefined || !(from >= 1 && from <= to && to <= head)) {
    throw new WalletError("usage", `blocks go from 1 to ${head}, and the first is not after the last`);
  }
  finish(await profileRange(client, from, to, await readMaps(flags)), `blocks ${from} to ${to}`, flags);
}

/** The command is told where the node is by RPC_URL and ETH_RPC_URL, and its exit code is ours. */
export async function profileRun(command: readonly string[], flags: ProfileRunFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const before = Number(await client.request<string>("eth_blockNumber"));
  const code = await runCommand(command, client.url);
  const after = Number(await client.request<string>("eth_blockNumber"));
  if (after <= before) {
    note("  no block was made meanwhile: does the command use RPC_URL?");
  } else {
    finish(await profileRange(client, before + 1, after, await readMaps(flags)), command.join(" "), flags);
  }
  if (code !== 0) throw new WalletError("failure", `${command.join(" ")} ended with code ${code}`);
}

/** @throws WalletError (usage) when a file that was named is no artifact with a source map. */
async function readMaps({ artifact }: ProfileFlags): Promise<SourceMaps> {
  const maps = new SourceMaps(artifactFolder(DEFAULT_FOLDER));
  for (const file of artifact) {
    const { bytecode, sourceMap, sourceName } = await loadArtifact(file);
    if (sourceMap === undefined || sourceName === undefined) {
      throw new WalletError("usage", `${file} has no source map: build it with jurat-wallet build`);
    }
    maps.add({ bytecode, sourceMap, sourceName });
  }
  return maps;
}

/** A node that does not know the author's source shows lines of what is deployed; here they get their names. */
function named(run: ProfiledRun, maps: SourceMaps): ProfiledRun {
  const { lines, tree = [] } = run;
  return {
    ...run,
    lines: lines.map((line) => maps.showAgain(line)),
    tree: tree.map((line) => maps.showAgain(line)),
  };
}

async function trace<T>(client: NodeClient, method: string, params: readonly unknown[]): Promise<T> {
  try {
    return await client.request<T>(method, params);
  } catch (error) {
    if (!(error instanceof NodeRefusal)) throw error;
    throw new WalletError("failure", `the node says: ${error.message}`, { cause: error });
  }
}

type BlockTrace = { readonly txHash: string; readonly result?: ProfiledRun; readonly error?: string };

async function profileRange(
  client: NodeClient,
  first: number,
  last: number,
  maps: SourceMaps,
): Promise<GasProfile> {
  const profile = new GasProfile();
  for (let number = first; number <= last; number++) {
    const traces = await trace<BlockTrace[]>(client, "debug_traceBlockByNumber", [quantity(number), TRACER]);
    for (const { txHash, result, error } of traces) {
      if (result !== undefined) profile.add(`block ${number}`, named(result, maps));
      else note(`  left out ${txHash}: ${error}`);
    }
  }
  return profile;
}

function finish(profile: GasProfile, name: string, { out, rows, json }: ProfileFlags): void {
  const file = profile.speedscope(name);
  if (out !== undefined) {
    writeFileSync(out, JSON.stringify(file));
    note(`  flamegraph in ${out}: drop it on https://www.speedscope.app, or run: npx speedscope ${out}`);
  }
  printResult(json, file, profile.table(rows));
}

function runCommand(command: readonly string[], url: string): Promise<number> {
  const [program = "", ...args] = command;
  const env = { ...process.env, RPC_URL: url, ETH_RPC_URL: url };
  const child = spawn(program, args, { stdio: "inherit", env });
  return new Promise((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new WalletError("usage", `${program} cannot be run: ${cause.message}`, { cause })),
    );
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
