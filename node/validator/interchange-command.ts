/** `jurat slashing-protection import|export`: what they do. See specs/node/validator-keys.md#interchange. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { readChainSpec } from "../chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../genesis.ts";
import { installNativeBackends } from "../native/install.ts";
import { openDatabase } from "../storage/database.ts";
import { SlashingProtection } from "../storage/slashing-protection.ts";
import { encodeInterchange, parseInterchange } from "./interchange.ts";
import type { ExportConfig, ImportConfig } from "./interchange-config.ts";

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

/** The directory's lock makes sure that no node signs meanwhile. */
async function withProtection(
  dir: string,
  chainSpec: string,
  use: (protection: SlashingProtection, genesisValidatorsRoot: Hash) => Promise<void>,
): Promise<void> {
  await installNativeBackends();
  const spec = readChainSpec(chainSpec);
  const genesis = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
  const directory = join(dir, "validator");
  const database = await openDatabase({ directory, role: "validator", chain: toHex(genesis.blockRoot) });
  try {
    await use(new SlashingProtection(database), toHex(genesis.state.genesisValidatorsRoot));
  } finally {
    await database.close();
  }
}
