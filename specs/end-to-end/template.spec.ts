/** `jurat-wallet init` and the commands of the README it writes, in an empty folder. Prose: ../contracts/build.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const WALLET = join(PROJECT_ROOT, "dist/wallet-cli/main.js");

/** What `npm install` would bring, without a registry: this package and what the manifest names. */
function linkDependencies(folder: string): void {
  type Manifest = Record<"dependencies" | "devDependencies", Record<string, string>>;
  const { dependencies, devDependencies } = readJson<Manifest>(join(folder, "package.json"));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  mkdirSync(join(folder, "node_modules/.bin"));
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const target = name === "jurat" ? PROJECT_ROOT : join(PROJECT_ROOT, "node_modules", name);
    symlinkSync(target, join(folder, "node_modules", name));
  }
  const programs = { jurat: "dist/node/main.js", "jurat-wallet": "dist/wallet-cli/main.js" };
  for (const [name, path] of Object.entries(programs)) {
    const text = `#!/usr/bin/env node\nimport(${JSON.stringify(join(PROJECT_ROOT, path))});\n`;
    writeFileSync(join(folder, "node_modules/.bin", name), text, { mode: 0o755 });
  }
  symlinkSync(join(PROJECT_ROOT, "node_modules/.bin/tsc"), join(folder, "node_modules/.bin/tsc"));
}

/** Resolves with the chain's address. Ctrl-C in a terminal ends the whole group too. */
function startDev(cwd: string, command: string): Promise<{ child: ChildProcess; url: string }> {
  const [program = "", ...args] = command.split(" ");
  const child = spawn(program, [...args, "--", "--rpc-port", "0"], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own, since npm does not hand on signals to what it runs.
    detached: true,
  });
  return new Promise((resolve, reject) => {
    let printed = "";
    child.on("exit", () => reject(new Error(printed)));
    child.stdout?.on("data", (chunk) => {
      printed += chunk;
      const url = /^listening on (\S+)$/m.exec(printed)?.[1];
      if (url !== undefined) resolve({ child, url });
    });
  });
}

describe("the template", function () {
  this.timeout(180_000);

  it("builds, tests and deploys by the commands of its README", () =>
    withScratchDirectory(async (cwd) => {
      const made = await runProgram(process.execPath, [WALLET, "init", "My Contract"], { cwd });
      equal(made.code, 0, made.stderr);
      const folder = join(cwd, "My Contract");
      equal(readJson<{ name: string }>(join(folder, "package.json")).name, "my-contract");
      deepEqual(readdirSync(folder).sort(), [
        ".gitignore",
        "README.md",
        "contracts",
        "package.json",
        "scripts",
        "specs",
        "tsconfig.json",
      ]);
      const again = await runProgram(process.execPath, [WALLET, "init", "My Contract"], { cwd });
      match(again.stderr, /My Contract is not empty/);

      const commands = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\$ (.+)$/gm)].map(
        ([, command = ""]) => command,
      );
      deepEqual(commands, ["npm install", "npm test", "npm run dev", "npm run deploy"]);
      linkDependencies(folder);
      let dev: Awaited<ReturnType<typeof startDev>> | undefined;
      try {
        for (const command of commands.slice(1)) {
          if (command === "npm run dev") {
            dev = await startDev(folder, command);
            continue;
          }
          const [program = "", ...args] = command.split(" ");
          const env = { NO_COLOR: "1", ...(dev !== undefined && { RPC_URL: dev.url }) };
          const run = await runProgram(program, args, { cwd: folder, env });
          equal(run.code, 0, `${command}\n${run.stdout}${run.stderr}`);
          if (command === "npm test") match(run.stdout, /pass 2\n.*fail 0/s);
          if (command === "npm run deploy")
            match(run.stdout, /Counter is at 0x[0-9a-fA-F]{40}, since block 1/);
        }
      } finally {
        if (dev?.child.pid !== undefined) process.kill(-dev.child.pid);
      }
    }));
});
