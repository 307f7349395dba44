/** Feeds exported blocks to a stopped node's chain: checked and executed as if a peer had sent them. See specs/node/db.md#import. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { BlockFileError, decodeBlockFile } from "./block-file.ts";
import { readChecksums, sha256Hex } from "./export-blocks.ts";
import type { Folder } from "./folder.ts";
import { openOfflineChain } from "./offline-chain.ts";

/** Blocks between two waits for the disk, which bound what waits in memory. */
const SETTLE_BLOCKS = 32;

export type ImportReport = { readonly files: number; readonly imported: number; readonly known: number };

/**
 * Files in the order of their slots; blocks that are here already are passed over.
 * @param onProgress told after each few blocks.
 * @throws BlockFileError for a file without its checksum, a damaged one, and a block the chain refuses; what came
 *   before it is kept.
 */
export async function importBlocks(
  folder: Folder,
  from: string,
  nowMs: () => number,
  onProgress: (slot: number, imported: number) => void,
): Promise<ImportReport> {
  const chain = openOfflineChain(folder, nowMs);
  const genesisRoot = toHex(folder.genesis.blockRoot);
  const report = { files: 0, imported: 0, known: 0 };
  for (const { path, bytes } of readFiles(from)) {
    let seen = 0;
    for (const block of decodeBlockFile(path, genesisRoot, bytes)) {
      const { slot, outcome } = await importOne(chain, path, block);
      if (outcome === "imported") report.imported++;
      else if (outcome === "known" || outcome === "ignored") report.known++;
      else throw new BlockFileError({ code: "BLOCK_FILE_REFUSED", path, slot, reason: outcome });
      if (++seen % SETTLE_BLOCKS === 0) {
        await chain.settled();
        onProgress(slot, report.imported);
      }
    }
    await chain.settled();
    report.files++;
  }
  return report;
}

async function importOne(chain: ReturnType<typeof openOfflineChain>, path: string, block: Uint8Array) {
  try {
    return await chain.importBlock(block);
  } catch (error) {
    // The SSZ library throws plain errors for bytes that do not decode.
    if (!(error instanceof Error) || "detail" in error || "code" in error) throw error;
    const detail = { path, reason: `a block cannot be read: ${error.message}` };
    throw new BlockFileError({ code: "BLOCK_FILE_MALFORMED", ...detail }, { cause: error });
  }
}

function* readFiles(from: string): Iterable<{ readonly path: string; readonly bytes: Uint8Array }> {
  const checksums = readChecksums(from);
  const names = readdirSync(from)
    .filter((name) => name.endsWith(".e2s"))
    .sort();
  for (const missing of [...checksums.keys()].filter((name) => !names.includes(name))) {
    throw new BlockFileError({ code: "BLOCK_FILE_MISSING", path: join(from, missing) });
  }
  for (const name of names) {
    const path = join(from, name);
    const bytes = readFileSync(path);
    if (checksums.get(name) !== sha256Hex(bytes))
      throw new BlockFileError({ code: "BLOCK_FILE_CHECKSUM", path });
    yield { path, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  }
}
