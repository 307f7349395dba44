import { deepEqual, equal } from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildContract } from "../contracts/build/build-contract.ts";
import { PROJECT_ROOT } from "./support/vectors.ts";

const readme = readFileSync(join(PROJECT_ROOT, "README.md"), "utf8");
const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as {
  readonly scripts: Record<string, string>;
};

describe("the README", () => {
  it("shows a contract that builds", async () => {
    const [, source = ""] = /```ts\n(import .* from "chain:std";[\s\S]*?)```/.exec(readme) ?? [];
    // Inside the project, where `chain:std` has its types.
    const folder = mkdtempSync(join(PROJECT_ROOT, "contracts", "readme-"));
    try {
      writeFileSync(join(folder, "counter.ts"), source);
      const { contractName, abi } = await buildContract(join(folder, "counter.ts"));
      equal(contractName, "Counter");
      deepEqual(abi.map((item) => ("name" in item ? item.name : item.type)).sort(), [
        "Counted",
        "count",
        "increment",
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }).timeout(60_000);

  it("names scripts and files that exist", () => {
    const scripts = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    deepEqual(
      scripts.filter((name) => manifest.scripts[name] === undefined),
      [],
    );
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = ""]) => path);
    deepEqual(
      links.filter((path) => !existsSync(join(PROJECT_ROOT, path))),
      [],
    );
  });
});
