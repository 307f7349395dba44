/** A new node's beginning when it is given a checkpoint. See specs/node/checkpoint-sync.md#the-beginning. */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Genesis } from "../../consensus/genesis.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { ChainSpec } from "../chain-spec.ts";
import { type Checkpoint, decodeCheckpoint, unreadable } from "./checkpoint.ts";
import type { CheckpointConfig } from "./checkpoint-flags.ts";
import { fetchCheckpoint } from "./fetch-checkpoint.ts";
import { hasNoChain, importCheckpoint, type NodeDirectory } from "./import-checkpoint.ts";
import { createProvider } from "./provider.ts";
import { type CheckpointRules, verifyCheckpoint } from "./verify-checkpoint.ts";

/** Entries between two lines of progress. */
const PROGRESS_ENTRIES = 50_000;

type ProgressLog = { info(fields: object, message?: string): void };

export type CheckpointBeginning = {
  readonly config: CheckpointConfig;
  readonly spec: ChainSpec;
  readonly genesis: Genesis;
  readonly directory: NodeDirectory;
  readonly log: ProgressLog;
  /** Unix milliseconds. */
  readonly nowMs: number;
};

/**
 * Writes the checkpoint into a folder without a chain; a folder that has one goes on with it. Does nothing without
 * a source.
 *
 * @throws CheckpointError, and then nothing was written.
 */
export async function beginFromCheckpoint(beginning: CheckpointBeginning): Promise<void> {
  const { config, directory, log } = beginning;
  if (config.checkpointUrl.length === 0 && config.checkpointFile === undefined) return;
  if (!(await hasNoChain(directory))) {
    log.info({}, "the folder has a chain: going on with it, not with the checkpoint");
    return;
  }
  const checkpoint = await loadCheckpoint(beginning);
  if (checkpoint === undefined) {
    log.info({}, "the providers' newest checkpoint is genesis: beginning there");
    return;
  }
  const verified = verifyCheckpoint(checkpoint, rulesOf(beginning));
  await importCheckpoint(verified, directory);
  const { root, epoch, slot, blocks } = verified;
  log.info({ root, epoch, slot, block: blocks[0]?.executionBlock.hash }, "beginning with the checkpoint");
}

export function rulesOf({
  config,
  spec,
  genesis,
  nowMs,
}: Omit<CheckpointBeginning, "directory" | "log">): CheckpointRules {
  const nowSlot = Math.floor((nowMs / 1000 - spec.genesisTime) / spec.params.slotSeconds);
  return {
    ...{ params: spec.params, genesis, pinned: config.checkpoint, allowsOld: config.forceCheckpoint },
    nowSlot: Math.max(0, nowSlot),
  };
}

/** From the file or the providers that the flags name, not verified yet; undefined for genesis. @throws CheckpointError */
export async function loadCheckpoint({
  config,
  spec,
  genesis,
  log,
}: Omit<CheckpointBeginning, "directory" | "nowMs">): Promise<Checkpoint | undefined> {
  const { checkpointFile, checkpointUrl } = config;
  if (checkpointFile !== undefined) return readCheckpointFile(checkpointFile);
  const options = {
    ...{ params: spec.params, genesisRoot: toHex(genesis.blockRoot) },
    pause: async (milliseconds: number) => void (await pause(milliseconds)),
    onProgress: (message: string, fields: Readonly<Record<string, unknown>>) => log.info(fields, message),
  };
  const [first, ...others] = checkpointUrl.map((url) => createProvider(url, createProgress(log)));
  if (first === undefined) throw unreadable("source", "there is none");
  return fetchCheckpoint([first, ...others], options);
}

/** @throws CheckpointError */
function readCheckpointFile(path: string): Checkpoint {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw unreadable("file", cause instanceof Error ? cause.message : String(cause), cause);
  }
  return decodeCheckpoint(bytes);
}

/** A line now and then. */
function createProgress(log: ProgressLog): (count: number) => void {
  let total = 0;
  return (count) => {
    const before = Math.floor(total / PROGRESS_ENTRIES);
    total += count;
    if (Math.floor(total / PROGRESS_ENTRIES) > before) log.info({ entries: total }, "downloading the state");
  };
}
