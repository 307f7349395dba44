import { deepEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../primitives/version.ts";
import { renderFlagReference } from "./support/flag-reference.ts";
import { PROJECT_ROOT } from "./support/vectors.ts";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: PROJECT_ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(PROJECT_ROOT, path)));
const sources = files.filter((path) => path.endsWith(".ts"));
const read = (path: string) => readFileSync(join(PROJECT_ROOT, path), "utf8");
const core = sources.filter((path) => /^(primitives|consensus|vm)\//.test(path));

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");

function isDead(citation: string): boolean {
  const [path = "", anchor] = citation.split("#");
  if (!files.includes(path)) return true;
  if (anchor === undefined) return false;
  const headings = read(path)
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) => anchorOf(line.replace(/^#+\s*/, "")));
  return !headings.includes(anchor);
}

describe("the repository", () => {
  it("cites only headings and files of specs/ that exist", () => {
    const dead = sources.flatMap((path) =>
      [...read(path).matchAll(/specs\/[\w/-]+(?:\.md(?:#[\w-]+)?|\.spec\.ts)/g)]
        .map(String)
        .filter(isDead)
        .map((citation) => `${path}: ${citation}`),
    );
    deepEqual(dead, []);
  });

  it("has no randomness in the core", () => {
    const found = core.filter((path) =>
      /Math\.random\(|crypto\.getRandomValues|randomBytes/.test(read(path)),
    );
    deepEqual(found, []);
  });

  it("begins every source file with what it is", () => {
    const silent = sources
      .filter((path) => !/^(specs|bench)\/|^contracts\/(examples|library)\/|\.d\.ts$/.test(path))
      .filter((path) => !/^(?:#!.*\n)?\/\*\*/.test(read(path)));
    deepEqual(silent, []);
  });

  it("names no registry in its lockfiles", () => {
    const lockfiles = files.filter((path) => path.endsWith("package-lock.json"));
    deepEqual(
      lockfiles.filter((path) => read(path).includes('"resolved"')),
      [],
    );
  });

  it("tells the version of package.json", () => {
    deepEqual(VERSION, (JSON.parse(read("package.json")) as { version: string }).version);
  });

  it("names files for their idea", () => {
    const vague = files.filter((path) => /(^|\/)(utils?|helpers?|common|types|index|misc)\.ts$/.test(path));
    deepEqual(vague, []);
  });

  it("documents every flag of every program as it is: npm run reference writes the page", () => {
    const [written, said] = [read("specs/flags.md"), renderFlagReference()].map((text) => text.split("\n"));
    deepEqual(written, said);
  });

  it("keeps source files within 400 lines", () => {
    const long = sources
      .filter((path) => !/^(specs|bench)\//.test(path))
      .filter((path) => read(path).split("\n").length > 401);
    deepEqual(long, []);
  });
});
