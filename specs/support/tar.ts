/** Reads a .tar.gz into memory: POSIX ustar, regular files only. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const BLOCK = 512;

/** Contents by path. */
export function readTarGz(path: string): Map<string, Uint8Array> {
  const archive = gunzipSync(readFileSync(path));
  const files = new Map<string, Uint8Array>();
  let offset = 0;
  while (offset + BLOCK <= archive.length && archive[offset] !== 0) {
    const text = (start: number, length: number) =>
      archive
        .toString("latin1", offset + start, offset + start + length)
        .split("\0", 1)[0]!
        .trim();
    const size = Number.parseInt(text(124, 12), 8);
    const name = text(345, 155) === "" ? text(0, 100) : `${text(345, 155)}/${text(0, 100)}`;
    const isFile = ["", "0"].includes(text(156, 1));
    if (isFile) files.set(name, archive.subarray(offset + BLOCK, offset + BLOCK + size));
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
