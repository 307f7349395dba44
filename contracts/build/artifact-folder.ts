/** Artifacts that an author's build wrote, for their source maps. See specs/node/dev.md#sources. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { MappedArtifact } from "../../rpc/source-maps.ts";

/** A larger file is no artifact. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;
const FILES_LIMIT = 1_000;

/** Each call gives the artifacts that have come or changed since the one before. */
export function artifactFolder(folder: string): () => readonly MappedArtifact[] {
  const seen = new Map<string, number>();
  return () => {
    const found: MappedArtifact[] = [];
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
      if (seen.get(path) === mtimeMs || size > FILE_LIMIT_BYTES) continue;
      seen.set(path, mtimeMs);
      const artifact = read(path);
      if (artifact !== undefined) found.push(artifact);
    }
    return found;
  };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .slice(0, FILES_LIMIT);
  } catch {
    // Nothing was built here yet.
    return [];
  }
}

function read(path: string): MappedArtifact | undefined {
  try {
    const { bytecode, sourceMap, sourceName } = JSON.parse(readFileSync(path, "utf8"));
    const isArtifact = [bytecode, sourceMap, sourceName].every((part) => typeof part === "string");
    return isArtifact ? { bytecode, sourceMap, sourceName } : undefined;
  } catch {
    // Half written, or something else: it is looked at again when it changes.
    return undefined;
  }
}
