/** `jurat slashing-protection import|export`: what they do. See specs/node/validator-keys.md#interchange. */
import { readFileSync, writeFileSync } from "node:fs";
import { encodeInterchange, parseInterchange } from "./interchange.ts";
import type { ExportConfig, ImportConfig } from "./interchange-config.ts";
import { withProtection } from "./with-protection.ts";

/** All of the file or nothing. @throws InterchangeError, ChainSpecError, DatabaseError */
export async function importInterchange({ dir, chainSpec, file }: ImportConfig): Promise<void> {
  const text = readFileSync(file, "utf8");
  await withProtection(dir, chainSpec, async (protection, genesisValidatorsRoot) => {
    const histories = parseInterchange(text, genesisValidatorsRoot);
    await protection.raiseAll(histories);
    process.stdout.write(`took over what ${histories.length} keys signed\n`);
  });
}

/** @throws ChainSpecError, DatabaseError */
export async function exportInterchange({ dir, chainSpec, out, keys }: ExportConfig): Promise<void> {
  await withProtection(dir, chainSpec, async (protection, genesisValidatorsRoot) => {
    const wanted = keys.length === 0 ? protection.publicKeys() : keys;
    const text = encodeInterchange(
      wanted.map((publicKey) => protection.historyOf(publicKey)),
      genesisValidatorsRoot,
    );
    if (out === undefined) {
      process.stdout.write(text);
      return;
    }
    writeFileSync(out, text, { mode: 0o600 });
    process.stdout.write(`wrote ${out}: ${wanted.length} keys\n`);
  });
}
