/** Everything a checkpoint claims, checked against its block's root and the chain spec. See specs/node/checkpoint-sync.md#verification. */
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { type ConsensusState, getLatestBlockRoot, getStateRoot } from "../../consensus/state.ts";
import { computeCheckpointSlot, type Slot } from "../../consensus/time.ts";
import { computeWeakSubjectivitySlots } from "../../consensus/weak-subjectivity.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import type { Block } from "../../vm/block.ts";
import type { StateDiff } from "../../vm/state/account.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { payloadOf } from "../chain/execute-payload.ts";
import { blockOfPayload } from "../execution/payload.ts";
import { type Checkpoint, CheckpointError, unreadable } from "./checkpoint.ts";
import { stateDiffOf } from "./world-state.ts";

export type CheckpointRules = {
  readonly params: ChainParams;
  readonly genesis: Genesis;
  /** A block that must be the checkpoint's or one of its ancestors, and its epoch; undefined to believe the source. */
  readonly pinned: { readonly root: Hash; readonly epoch: number } | undefined;
  readonly nowSlot: Slot;
  readonly allowsOld: boolean;
};

/** A checkpoint whose parts belong together. */
export type VerifiedCheckpoint = {
  readonly epoch: number;
  readonly root: Hash;
  readonly slot: Slot;
  readonly state: ConsensusState;
  /** The checkpoint's first, then its ancestors, newest first. */
  readonly blocks: readonly VerifiedBlock[];
  readonly diff: StateDiff;
};

export type VerifiedBlock = {
  readonly root: Hash;
  readonly signed: SignedBeaconBlock;
  readonly bytes: Uint8Array;
  readonly executionBlock: Block;
};

/** @throws CheckpointError naming the part that is wrong. */
export function verifyCheckpoint(checkpoint: Checkpoint, rules: CheckpointRules): VerifiedCheckpoint {
  const { params, genesis } = rules;
  const blocks = readBlocks(checkpoint, params, toHex(genesis.blockRoot));
  const [first] = blocks;
  if (first === undefined) throw unreadable("block", "it is missing");
  const { root, signed, executionBlock } = first;
  checkPin(blocks, checkpoint.epoch, rules);

  const state = readState(checkpoint.state, params);
  expectEqual("state", toHex(signed.message.stateRoot), toHex(getStateRoot(state)));
  expectEqual("state's block", root, toHex(getLatestBlockRoot(state)));
  expectEqual("chain", toHex(genesis.state.genesisValidatorsRoot), toHex(state.genesisValidatorsRoot));
  expectEqual("genesis time", String(genesis.state.genesisTime), String(state.genesisTime));
  const { slot } = signed.message;
  if (computeCheckpointSlot(checkpoint.epoch, params) < slot) {
    expectEqual("epoch", `one that begins after slot ${slot}`, String(checkpoint.epoch));
  }
  const ageSlots = rules.nowSlot - slot;
  const limitSlots = computeWeakSubjectivitySlots(state, params);
  if (ageSlots > limitSlots && !rules.allowsOld) {
    throw new CheckpointError({ code: "CHECKPOINT_TOO_OLD", ageSlots, limitSlots });
  }
  const diff = stateDiffOf(checkpoint);
  expectEqual("world state", executionBlock.header.stateRoot, diff.stateRoot);
  return { epoch: checkpoint.epoch, root, slot, state, blocks, diff };
}

/** Each is the parent of the one before it, so that the first root vouches for all. */
function readBlocks(
  { block, ancestors }: Checkpoint,
  params: ChainParams,
  genesisRoot: Hash,
): readonly VerifiedBlock[] {
  const { BeaconBlock, SignedBeaconBlock } = containersOf(params);
  const blocks: VerifiedBlock[] = [];
  for (const bytes of [block, ...ancestors]) {
    const part = blocks.length === 0 ? "block" : `ancestor ${blocks.length}`;
    const signed = readOrThrow(part, () => SignedBeaconBlock.deserialize(bytes));
    const root = toHex(BeaconBlock.hashTreeRoot(signed.message));
    const child = blocks.at(-1);
    if (child !== undefined) expectEqual(part, toHex(child.signed.message.parentRoot), root);
    if (root === genesisRoot) throw unreadable(part, "it is the genesis block: nothing is final yet");
    const executionBlock = readOrThrow(part, () =>
      blockOfPayload(payloadOf(signed), params, recoverTransaction),
    );
    blocks.push({ root, signed, bytes, executionBlock });
  }
  return blocks;
}

function checkPin(
  blocks: readonly VerifiedBlock[],
  epoch: number,
  { pinned, params }: CheckpointRules,
): void {
  if (pinned === undefined) return;
  const found = blocks.find(({ root }) => root === pinned.root);
  const isInEpoch =
    found !== undefined && found.signed.message.slot <= computeCheckpointSlot(pinned.epoch, params);
  if (isInEpoch) return;
  throw new CheckpointError({
    code: "CHECKPOINT_NOT_PINNED",
    pinned: `${pinned.root}:${pinned.epoch}`,
    offered: `${blocks[0]?.root}:${epoch}`,
  });
}

function readState(bytes: Uint8Array, params: ChainParams): ConsensusState {
  return readOrThrow("state", () => containersOf(params).BeaconState.deserializeToViewDU(bytes));
}

/** The SSZ library throws plain errors for bytes that do not decode. */
function readOrThrow<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof CodedError ? cause.message : "its bytes are not SSZ of that kind";
    throw unreadable(part, reason, cause);
  }
}

function expectEqual(part: string, expected: string, actual: string): void {
  if (expected !== actual) throw new CheckpointError({ code: "CHECKPOINT_WRONG", part, expected, actual });
}
