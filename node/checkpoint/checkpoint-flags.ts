/** The flags of `jurat run` for starting from a finalized checkpoint. See specs/node/checkpoint-sync.md. */
import { type Command, InvalidArgumentError } from "commander";
import type { Hash } from "../../primitives/bytes.ts";

export type PinnedCheckpoint = { readonly root: Hash; readonly epoch: number };

export type CheckpointConfig = {
  readonly checkpointUrl: readonly string[];
  readonly checkpointFile?: string;
  readonly checkpoint?: PinnedCheckpoint;
  readonly forceCheckpoint: boolean;
};

export function addCheckpointFlags(run: Command): void {
  run
    .option(
      "--checkpoint-url <urls...>",
      "begin with the finalized checkpoint of these beacon APIs; two or more, which must agree, or one and --checkpoint",
      [],
    )
    .option("--checkpoint-file <file>", "begin with the checkpoint that `jurat checkpoint` saved")
    .option(
      "--checkpoint <root:epoch>",
      "a finalized block that the checkpoint must be, or have shortly before it",
      pinned,
    )
    .option("--force-checkpoint", "begin with a checkpoint however old it is", false);
}

/** Rules between them. */
export function checkCheckpointFlags(flags: CheckpointConfig, run: Command): void {
  const { checkpointUrl, checkpointFile, checkpoint, forceCheckpoint } = flags;
  if (checkpointUrl.length > 0 && checkpointFile !== undefined) {
    run.error("error: --checkpoint-url and --checkpoint-file are two sources: give one");
  }
  if (checkpointUrl.length === 1 && checkpoint === undefined) {
    run.error(
      "error: one --checkpoint-url is one node to believe: give a second one that must agree, or pin --checkpoint root:epoch",
    );
  }
  const hasSource = checkpointUrl.length > 0 || checkpointFile !== undefined;
  if (!hasSource && (checkpoint !== undefined || forceCheckpoint)) {
    run.error("error: --checkpoint and --force-checkpoint need --checkpoint-url or --checkpoint-file");
  }
  if (new Set(checkpointUrl.map((url) => url.replace(/\/+$/, ""))).size !== checkpointUrl.length) {
    run.error("error: --checkpoint-url names one node twice: that it agrees with itself says nothing");
  }
}

function pinned(text: string): PinnedCheckpoint {
  const [, root, epoch] = /^(0x[0-9a-fA-F]{64}):(\d{1,15})$/.exec(text) ?? [];
  if (root === undefined)
    throw new InvalidArgumentError("expected a block root and an epoch, such as 0x…:1234.");
  return { root: root.toLowerCase() as Hash, epoch: Number(epoch) };
}
