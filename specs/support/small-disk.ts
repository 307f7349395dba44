/** A disk of a few megabytes, for specs of what happens when it is full: a tmpfs, which takes root to mount. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = {
  readonly path: string;
  /** Takes all room but this many bytes. */
  fill(leaveBytes: number): void;
  /** Gives it back. */
  empty(): void;
};

/** Where no file system may be mounted the spec is pending; with CI=true that is a failure. */
export async function withSmallDisk(
  context: Mocha.Context,
  bytes: number,
  body: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), "jurat-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path], { stdio: "pipe" });
  } catch (error) {
    rmdirSync(path);
    if (process.env["CI"] === "true") throw error;
    console.error("      pending: a small file system cannot be mounted here");
    return context.skip();
  }
  const filler = join(path, "filler");
  try {
    await body({
      path,
      fill(leaveBytes) {
        const { bavail, bsize } = statfsSync(path);
        writeFileSync(filler, new Uint8Array(bavail * bsize - leaveBytes));
      },
      empty: () => rmSync(filler),
    });
  } finally {
    execFileSync("umount", ["--lazy", path], { stdio: "pipe" });
    rmdirSync(path);
  }
}
