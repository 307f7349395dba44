/** What the compiler says of manifests as literals of the types that Kubernetes declares: unknown fields, wrong values. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../support/vectors.ts";

/** Where the types of an apiVersion are, in kubernetes-types. */
const MODULES: Readonly<Record<string, string>> = {
  v1: "core/v1",
  "apps/v1": "apps/v1",
  "policy/v1": "policy/v1",
};

export type TypedManifest = { readonly apiVersion: string; readonly kind: string };

/** The compiler's errors; none when every field is one of the kind's. @throws for a kind of an unknown API. */
export function typeErrors(manifests: readonly TypedManifest[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "jurat-manifests-"));
  try {
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
    const literals = manifests.map((manifest, index) => {
      const module = MODULES[manifest.apiVersion];
      if (module === undefined) throw new Error(`there are no types of ${manifest.apiVersion} here`);
      const type = `import("kubernetes-types/${module}").${manifest.kind}`;
      return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 1)};\n`;
    });
    writeFileSync(join(folder, "manifests.ts"), literals.join(""));
    const compiler = join(PROJECT_ROOT, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--types", "", "--module", "preserve"];
    const { stdout, status, error } = spawnSync(process.execPath, [compiler, ...options, "manifests.ts"], {
      cwd: folder,
      encoding: "utf8",
    });
    if (error !== undefined) throw error;
    const errors = stdout.split("\n").filter((line) => line.startsWith("manifests.ts"));
    if (errors.length === 0 && status !== 0) throw new Error(`the compiler did not get to them: ${stdout}`);
    return errors;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
