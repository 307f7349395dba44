/** Type checks a contract with the TypeScript compiler, as the editor does. See specs/contracts/build.md#type-check. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, type SourceProblem } from "./build-error.ts";
import { displayPath } from "./bundle.ts";

const COMPILER = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin", "tsc");

/** `chain:std` as authors see it, from dist/contracts/build. */
const STD_TYPES = fileURLToPath(new URL("../../../contracts/chain-std.d.ts", import.meta.url));

/** The compiler's options for contracts; contracts/tsconfig.json says the same to editors. */
const OPTIONS = {
  target: "es2023",
  lib: ["es2023"],
  types: [],
  module: "preserve",
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitReturns: true,
  skipLibCheck: true,
};

/** @throws BuildError BUILD_TYPES with every place the compiler complains about. */
export async function checkTypes(path: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "jurat-types-"));
  try {
    const project = join(directory, "tsconfig.json");
    const compilerOptions = { ...OPTIONS, paths: { "chain:std": [STD_TYPES] } };
    writeFileSync(project, JSON.stringify({ compilerOptions, files: [resolve(path)] }));
    const output = await runCompiler(["-p", project, "--pretty", "false"]);
    const problems = output.split("\n").flatMap(readProblem);
    if (problems.length > 0) throw new BuildError({ code: "BUILD_TYPES", problems });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the compiler prints; its exit code says no more. */
function runCompiler(args: readonly string[]): Promise<string> {
  return new Promise((fulfil, reject) => {
    execFile(process.execPath, [COMPILER, ...args], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
      // A number is the exit code of a compiler that ran; anything else means it did not.
      if (error !== null && typeof error.code !== "number") reject(error);
      else fulfil(stdout);
    });
  });
}

/** `path(line,column): error TS1234: text`, or an error without a place. */
function readProblem(line: string): SourceProblem[] {
  const [, file = "", row = "", column = "", text = ""] =
    /^(.+)\((\d+),(\d+)\): (error .+)$/.exec(line) ?? [];
  if (file !== "")
    return [{ file: displayPath(resolve(file)), line: Number(row), column: Number(column), text }];
  return line.startsWith("error ") ? [{ file: "", line: 0, column: 0, text: line }] : [];
}
