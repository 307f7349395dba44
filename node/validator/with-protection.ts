/** The slashing protection of a folder that no node runs in. See specs/node/validator-keys.md#interchange. */
import { join } from "node:path";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { type ChainSpec, readChainSpec } from "../chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../genesis.ts";
import { installNativeBackends } from "../native/install.ts";
import { openDatabase } from "../storage/database.ts";
import { SlashingProtection } from "../storage/slashing-protection.ts";

/** The directory's lock makes sure that nothing else signs meanwhile. @throws ChainSpecError, DatabaseError */
export async function withProtection(
  dir: string,
  chainSpec: string,
  use: (protection: SlashingProtection, genesisValidatorsRoot: Hash, spec: ChainSpec) => Promise<void>,
): Promise<void> {
  await installNativeBackends();
  const spec = readChainSpec(chainSpec);
  const genesis = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
  const directory = join(dir, "validator");
  const database = await openDatabase({ directory, role: "validator", chain: toHex(genesis.blockRoot) });
  try {
    await use(new SlashingProtection(database), toHex(genesis.state.genesisValidatorsRoot), spec);
  } finally {
    await database.close();
  }
}
