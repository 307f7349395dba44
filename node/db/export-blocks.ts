/** Writes finalized blocks to files with checksums. See specs/node/db.md#files. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { makeFolder } from "../make-folder.ts";
import { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import { blockFileName, encodeBlockFile, SLOTS_PER_FILE } from "./block-file.ts";
import type { Folder } from "./folder.ts";

/** As sha256sum writes and reads it. */
export const CHECKSUMS = "checksums.txt";

export type ExportReport = { readonly files: number; readonly blocks: number; readonly bytes: number };

/** Whole files: those with a slot from `first` to `last`. A file of the same slots is replaced. */
export function exportBlocks(
  { consensus, genesis }: Folder,
  out: string,
  range: { readonly first: number; readonly last: number | undefined },
): ExportReport {
  const stored = new ConsensusBlocks(consensus);
  const finalizedSlot = stored.finality()?.slot ?? 0;
  const last = Math.min(range.last ?? finalizedSlot, finalizedSlot);
  const genesisRoot = toHex(genesis.blockRoot);
  makeFolder(out);
  const checksums = readChecksums(out);
  const report = { files: 0, blocks: 0, bytes: 0 };
  for (let index = Math.floor(range.first / SLOTS_PER_FILE); index * SLOTS_PER_FILE <= last; index++) {
    const end = Math.min((index + 1) * SLOTS_PER_FILE, finalizedSlot + 1);
    const blocks = [...stored.finalizedBlocks(index * SLOTS_PER_FILE, end)].map(({ bytes }) => bytes);
    if (blocks.length === 0) continue;
    const name = blockFileName(genesisRoot, index);
    const bytes = encodeBlockFile(genesisRoot, blocks);
    writeWhole(join(out, name), bytes);
    checksums.set(name, sha256Hex(bytes));
    report.files++;
    report.blocks += blocks.length;
    report.bytes += bytes.length;
  }
  const lines = [...checksums].sort().map(([name, sum]) => `${sum}  ${name}\n`);
  writeWhole(join(out, CHECKSUMS), Buffer.from(lines.join("")));
  return report;
}

/** SHA-256 by file name; none when the folder has no list. */
export function readChecksums(folder: string): Map<string, string> {
  const path = join(folder, CHECKSUMS);
  if (!existsSync(path)) return new Map();
  const pairs = readFileSync(path, "utf8")
    .split("\n")
    .map((line) => /^([0-9a-f]{64}) [ *](\S+)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [[match[2] ?? "", match[1] ?? ""] as const]));
  return new Map(pairs);
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A reader sees the old file or the new one. */
function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
