/** What `jurat checkpoint` does: the checkpoint is fetched and verified as for a new node, and written to a file. */
import { writeFileSync } from "node:fs";
import { readChainSpec } from "../chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../genesis.ts";
import { installNativeBackends } from "../native/install.ts";
import { loadCheckpoint, rulesOf } from "./begin-from-checkpoint.ts";
import { encodeCheckpoint, unreadable } from "./checkpoint.ts";
import type { SaveConfig } from "./save-command.ts";
import { verifyCheckpoint } from "./verify-checkpoint.ts";

/** @throws CheckpointError, ChainSpecError */
export async function saveCheckpoint(config: SaveConfig): Promise<void> {
  await installNativeBackends();
  const spec = readChainSpec(config.chainSpec);
  const genesis = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
  const log = {
    info: (fields: object, message?: string) =>
      void process.stderr.write(`${message ?? ""} ${JSON.stringify(fields)}\n`),
  };
  const checkpoint = await loadCheckpoint({ config, spec, genesis, log });
  if (checkpoint === undefined)
    throw unreadable("source", "its newest checkpoint is genesis: try again later");
  const { root, epoch, slot } = verifyCheckpoint(
    checkpoint,
    rulesOf({ config, spec, genesis, nowMs: Date.now() }),
  );
  const bytes = encodeCheckpoint(checkpoint);
  writeFileSync(config.out, bytes);
  process.stdout.write(`wrote ${config.out}: ${bytes.length} bytes, slot ${slot}\n${root}:${epoch}\n`);
}
