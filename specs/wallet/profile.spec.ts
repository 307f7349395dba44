/** `jurat-wallet profile` against a development chain. Prose: ../rpc/profile.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeDeployData, encodeFunctionData, erc20Abi, type Hex } from "viem";
import { type Artifact, writeArtifact } from "../../contracts/build/artifact.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { type DevNode, startDevNode } from "../../node/dev/dev-node.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const CONFIG = {
  rpcHost: "127.0.0.1",
  rpcPort: 0,
  chainId: 31337,
  explorer: false,
  dir: undefined,
  blockTime: undefined,
};
const [alice, bob] = deriveDevAccounts().map(({ address }) => address) as [Hex, Hex];
const transfer = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [bob, 5n] });

async function ask<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const { result } = (await (await fetch(url, { method: "POST", headers, body })).json()) as { result: T };
  return result;
}

async function deployToken(url: string, artifact: Artifact): Promise<Hex> {
  const { abi, bytecode } = artifact;
  const data = encodeDeployData({ abi: abi as never, bytecode, args: ["T", "TKN", 1_000n] } as never);
  const hash = await ask<Hex>(url, "eth_sendTransaction", { from: alice, data });
  return (await ask<{ contractAddress: Hex }>(url, "eth_getTransactionReceipt", hash)).contractAddress;
}

describe("jurat-wallet profile", function () {
  this.timeout(120_000);
  let artifact: Artifact;
  before(async () => {
    artifact = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"), { typeCheck: false });
  });

  async function withNode(more: object, body: (node: DevNode, printed: string[]) => Promise<void>) {
    const printed: string[] = [];
    const node = await startDevNode({ ...CONFIG, ...more }, (text) => void printed.push(text));
    try {
      await body(node, printed);
    } finally {
      await node.close();
    }
  }

  it("shows the author's lines of a call, of blocks and of what a command sends, and writes flamegraphs", () =>
    withScratchDirectory((cwd) =>
      withNode({}, async ({ url }) => {
        const address = await deployToken(url, artifact);
        const [json = ""] = writeArtifact(artifact, cwd);
        const profile = async (kind: string, flags: readonly string[], ...args: string[]) => {
          const all = ["profile", kind, "--artifact", json, "--rpc-url", url, ...flags, ...args];
          const program = join(PROJECT_ROOT, "dist/wallet-cli/main.js");
          const run = await runProgram(process.execPath, [program, ...all], { cwd, env: { NO_COLOR: "1" } });
          equal(run.code, 0, run.stderr);
          return run;
        };
        const out = join(cwd, "call.json");
        const call = await profile(
          "call",
          ["--abi", json, "--out", out, "--from", "dev:0"],
          address,
          "transfer",
          bob,
          "5",
        );
        match(
          call.stdout,
          / +22,\d{3} .* contracts\/library\/erc20\.ts:\d+ {2}token\.balances\.add\(to, value\);/,
        );
        match(call.stdout, /in all, of 1 run\n$/);
        match(call.stderr, /speedscope/);
        const { shared, profiles } = readJson<{ shared: { frames: { name: string }[] }; profiles: object[] }>(
          out,
        );
        deepEqual([shared.frames[0]?.name, profiles.length], ["transfer", 1]);

        const script = join(cwd, "send.mjs");
        const body = { jsonrpc: "2.0", id: 1, method: "eth_sendTransaction" };
        const request = JSON.stringify({ ...body, params: [{ from: alice, to: address, data: transfer }] });
        writeFileSync(
          script,
          `const headers = { "content-type": "application/json" };
           await fetch(process.env.RPC_URL, { method: "POST", headers, body: ${JSON.stringify(request)} });`,
        );
        const run = await profile("run", ["--rows", "3"], "--", process.execPath, script);
        match(run.stdout, /in all, of 1 run\n$/);
        match((await profile("blocks", [], "1")).stdout, /in all, of 2 runs\n$/);
      }),
    ));

  it("is what jurat dev --profile writes of everything that ran", () =>
    withScratchDirectory(async (cwd) => {
      const file = join(cwd, "all.json");
      let all: string[] = [];
      await withNode({ profile: file }, async ({ url }, printed) => {
        all = printed;
        await ask(url, "jurat_addArtifact", artifact);
        const to = await deployToken(url, artifact);
        const data = encodeFunctionData({ abi: erc20Abi, functionName: "totalSupply" });
        await ask(url, "eth_call", { to, data });
      });
      match(all.join(""), /contracts\/library\/erc20\.ts:\d+ {2}totalSupply: view/);
      match(readFileSync(file, "utf8"), /"calls"/);
    }));
});
