import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

/**
 * Packs this checkout and puts the archive where `npm install` would, without a network: its production dependencies are
 * links to those of this checkout, and no others are there.
 * @returns a new folder with `package` (the archive's files) and `node_modules/jurat`; the caller removes it
 */
export function installPacked(): string {
  const folder = mkdtempSync(join(tmpdir(), "jurat-packed-"));
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], {
    cwd: PROJECT_ROOT,
    stdio: "pipe",
  });
  const [archive = ""] = readdirSync(folder);
  execFileSync("tar", ["xzf", archive], { cwd: folder });
  mkdirSync(join(folder, "node_modules"));
  cpSync(join(folder, "package"), join(folder, "node_modules/jurat"), { recursive: true });
  const { packages } = readJson<{ packages: Record<string, { readonly dev?: boolean }> }>(
    join(PROJECT_ROOT, "package-lock.json"),
  );
  for (const [path, { dev }] of Object.entries(packages)) {
    const isTopLevel = path.lastIndexOf("node_modules/") === 0;
    if (!isTopLevel || dev === true || !existsSync(join(PROJECT_ROOT, path))) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(PROJECT_ROOT, path), join(folder, path));
  }
  return folder;
}
