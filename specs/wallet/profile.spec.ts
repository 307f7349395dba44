/** `jurat-wallet profile` against a development chain. Prose: ../rpc/profile.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevNode, startDevNode } from "../../node/dev/dev-node.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const WALLET = join(PROJECT_ROOT, "dist/wallet-cli/main.js");

describe("jurat-wallet profile", function () {
  this.timeout(120_000);
  let node: DevNode;
  before(async () => {
    const config = { rpcHost: "127.0.0.1", rpcPort: 0, chainId: 31337, explorer: false };
    node = await startDevNode({ ...config, dir: undefined, blockTime: undefined }, () => undefined);
  });
  after(() => node.close());

  it("shows the author's lines of a call, of transactions and of a command, and writes flamegraphs", () =>
    withScratchDirectory(async (cwd) => {
      const wallet = async (...args: string[]) => {
        const env = {
          NO_COLOR: "1",
          JURAT_CONFIG: join(cwd, "config.json"),
          JURAT_DEPLOYMENTS: join(cwd, "d.json"),
        };
        const run = await runProgram(process.execPath, [WALLET, ...args, "--rpc-url", node.url], { env });
        equal(run.code, 0, run.stderr);
        return run;
      };
      const source = "contracts/examples/token.ts";
      await wallet("deploy", source, "--args", "T", "TKN", "1000", "--from", "dev:0", "--yes");
      const out = join(cwd, "call.json");
      const call = await wallet(
        "profile",
        "call",
        "Token",
        "transfer",
        "dev:1",
        "5",
        "--from",
        "dev:0",
        "--out",
        out,
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

      // The command is a test run of one transaction.
      const script = join(cwd, "send.mjs");
      const send = ["send", "Token", "transfer", "dev:1", "5", "--from", "dev:0", "--yes"];
      writeFileSync(
        script,
        `import { spawnSync } from "node:child_process";
         const args = ${JSON.stringify([WALLET, ...send])};
         process.exit(spawnSync(process.execPath, [...args, "--rpc-url", process.env.RPC_URL]).status);`,
      );
      const env = { NO_COLOR: "1", JURAT_DEPLOYMENTS: join(cwd, "d.json") };
      const run = await runProgram(
        process.execPath,
        [WALLET, "profile", "run", "--rpc-url", node.url, "--rows", "3", "--", process.execPath, script],
        { env },
      );
      equal(run.code, 0, run.stderr);
      match(run.stdout, /in all, of 1 run\n$/);
      match((await wallet("profile", "blocks", "1")).stdout, /in all, of 2 runs\n$/);
    }));

  it("is what jurat dev --profile writes of everything that ran", () =>
    withScratchDirectory(async (cwd) => {
      const file = join(cwd, "all.json");
      const printed: string[] = [];
      const config = { rpcHost: "127.0.0.1", rpcPort: 0, chainId: 31337, explorer: false, profile: file };
      const own = await startDevNode({ ...config, dir: undefined, blockTime: undefined }, (text) =>
        printed.push(text),
      );
      const env = { NO_COLOR: "1", JURAT_DEPLOYMENTS: join(cwd, "d.json"), ETH_RPC_URL: own.url };
      const wallet = (...args: string[]) => runProgram(process.execPath, [WALLET, ...args], { env });
      await wallet(
        "deploy",
        "contracts/examples/token.ts",
        "--args",
        "T",
        "TKN",
        "1",
        "--from",
        "dev:0",
        "--yes",
      );
      await wallet("call", "Token", "totalSupply");
      await own.close();
      match(printed.join(""), /contracts\/library\/erc20\.ts:\d+ {2}totalSupply: view/);
      match(readFileSync(file, "utf8"), /"calls"/);
    }));
});
