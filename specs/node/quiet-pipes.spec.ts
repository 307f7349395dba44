import { deepEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PROJECT_ROOT } from "../support/vectors.ts";

describe("a program whose reader has gone", function () {
  this.timeout(60_000);

  for (const program of ["node/main.js", "wallet-cli/main.js", "testnet/main.js"]) {
    it(`ends quietly and well: ${program}`, async () => {
      const child = spawn(process.execPath, [join(PROJECT_ROOT, "dist", program), "--help"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      child.stdout.destroy();
      let errors = "";
      child.stderr.on("data", (chunk: Buffer) => {
        errors += chunk;
      });
      const [code] = (await once(child, "close")) as [number | null];
      deepEqual([code, errors], [0, ""]);
    });
  }
});
