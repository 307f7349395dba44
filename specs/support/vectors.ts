/** Where the external test vectors are, and what a spec does when they are absent. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, seen from dist/specs/support. */
export const PROJECT_ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Path below the folder of external vectors: VECTORS_DIR, or ../shared/vectors from the project's root. */
export function externalVectors(...path: readonly string[]): string {
  return join(process.env["VECTORS_DIR"] ?? join(PROJECT_ROOT, "..", "shared", "vectors"), ...path);
}

/**
 * The same, for specs that need them. Where the folder is absent the running spec is reported as pending
 * with the reason; with CI=true that is a failure. Call it inside `it`, `before` or `beforeEach`.
 */
export function vectorsPath(context: Mocha.Context, ...path: readonly string[]): string {
  const found = externalVectors(...path);
  if (existsSync(found)) return found;
  const reason = `external vectors not found at ${found}: set VECTORS_DIR`;
  if (process.env["CI"] === "true") throw new Error(reason);
  console.error(`      pending: ${reason}`);
  return context.skip();
}

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
