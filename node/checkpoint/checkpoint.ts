/** A finalized checkpoint with everything a node needs to begin with it, and its file. See specs/node/checkpoint-sync.md#the-file. */
import { bigIntToMinimalBytes, bytesToBigInt, equalBytes, utf8ToBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp, RlpError, type RlpItem } from "../../primitives/rlp.ts";
import type { StateEntries } from "../execution/port.ts";

/** Nothing in it is believed before it is verified. */
export type Checkpoint = {
  readonly epoch: number;
  /** SSZ of the SignedBeaconBlock that is final. */
  readonly block: Uint8Array;
  /** SSZ of the BeaconState right after it. */
  readonly state: Uint8Array;
  /** SSZ of the blocks before it, newest first: contracts may ask for the hashes of their payloads. */
  readonly ancestors: readonly Uint8Array[];
  /** The world state after its payload, as the tables hold it. */
  readonly accounts: StateEntries;
  readonly storage: StateEntries;
  readonly codes: readonly Uint8Array[];
};

/** Ancestors whose hashes a contract can read (EIP-2935 goes further, but in the state). */
export const CHECKPOINT_ANCESTORS = 256;

export type CheckpointErrorDetail =
  | { readonly code: "CHECKPOINT_UNREADABLE"; readonly part: string; readonly reason: string }
  | {
      readonly code: "CHECKPOINT_WRONG";
      readonly part: string;
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly code: "CHECKPOINT_NOT_PINNED"; readonly pinned: string; readonly offered: string }
  | { readonly code: "CHECKPOINT_TOO_OLD"; readonly ageSlots: number; readonly limitSlots: number }
  | { readonly code: "CHECKPOINT_PROVIDER_FAILED"; readonly provider: string; readonly reason: string }
  | { readonly code: "CHECKPOINT_NOT_AGREED"; readonly provider: string; readonly root: string };

/** A checkpoint that is not begun with. Nothing was written. */
export class CheckpointError extends CodedError<CheckpointErrorDetail> {
  override readonly message = sentenceOf(this.detail);
}

function sentenceOf(detail: CheckpointErrorDetail): string {
  switch (detail.code) {
    case "CHECKPOINT_UNREADABLE":
      return `the checkpoint's ${detail.part} cannot be read: ${detail.reason}`;
    case "CHECKPOINT_WRONG":
      return `the checkpoint's ${detail.part} is wrong: expected ${detail.expected}, got ${detail.actual}`;
    case "CHECKPOINT_NOT_PINNED":
      return (
        `the checkpoint is not the pinned one: ${detail.pinned} is neither ${detail.offered} ` +
        `nor one of the ${CHECKPOINT_ANCESTORS} blocks before it. Pin a newer one, or ask another provider`
      );
    case "CHECKPOINT_TOO_OLD":
      return (
        `the checkpoint is ${detail.ageSlots} slots old, more than the ${detail.limitSlots} for which its validators ` +
        "can be held to it: get a newer one, or --force-checkpoint if you know from elsewhere that it is right"
      );
    case "CHECKPOINT_PROVIDER_FAILED":
      return `${detail.provider} did not answer as a checkpoint provider does: ${detail.reason}`;
    case "CHECKPOINT_NOT_AGREED":
      return `${detail.provider} does not have ${detail.root} as a finalized block: one of the providers is wrong`;
  }
}

const MAGIC = utf8ToBytes("jurat-checkpoint-1");

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { epoch, block, state, ancestors, accounts, storage, codes } = checkpoint;
  const number = bigIntToMinimalBytes(BigInt(epoch));
  return encodeRlp([MAGIC, number, block, state, ancestors, entryList(accounts), entryList(storage), codes]);
}

/** @throws CheckpointError CHECKPOINT_UNREADABLE */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const [magic, epoch, block, state, ancestors, accounts, storage, codes] = listOf(
    decoded(bytes, "file"),
    "file",
  );
  if (!(magic instanceof Uint8Array) || !equalBytes(magic, MAGIC)) {
    throw unreadable("file", "it is no checkpoint of this version");
  }
  return {
    epoch: Number(bytesToBigInt(bytesOf(epoch, "epoch")) & 0x1fffffffffffffn),
    block: bytesOf(block, "block"),
    state: bytesOf(state, "state"),
    ancestors: listOf(ancestors, "ancestors").map((item) => bytesOf(item, "ancestors")),
    accounts: readEntries(accounts, "accounts"),
    storage: readEntries(storage, "storage"),
    codes: listOf(codes, "codes").map((item) => bytesOf(item, "codes")),
  };
}

/** A page of entries as it travels. */
export function encodeEntries(entries: StateEntries): Uint8Array {
  return encodeRlp(entryList(entries));
}

/** @throws CheckpointError CHECKPOINT_UNREADABLE */
export function decodeEntries(bytes: Uint8Array, part: string): StateEntries {
  return readEntries(decoded(bytes, part), part);
}

/** A list of byte strings as it travels. @throws CheckpointError CHECKPOINT_UNREADABLE */
export function decodeByteList(bytes: Uint8Array, part: string): readonly Uint8Array[] {
  return listOf(decoded(bytes, part), part).map((item) => bytesOf(item, part));
}

export function unreadable(part: string, reason: string, cause?: unknown): CheckpointError {
  return new CheckpointError({ code: "CHECKPOINT_UNREADABLE", part, reason }, { cause });
}

function entryList(entries: StateEntries): RlpItem {
  return entries.map(([key, value]) => [key, value]);
}

function readEntries(item: RlpItem | undefined, part: string): StateEntries {
  return listOf(item, part).map((entry) => {
    const [key, value, more] = listOf(entry, part);
    if (more !== undefined) throw unreadable(part, "an entry has a key and a value");
    return [bytesOf(key, part), bytesOf(value, part)];
  });
}

function decoded(bytes: Uint8Array, part: string): RlpItem {
  try {
    return decodeRlp(bytes);
  } catch (cause) {
    if (!(cause instanceof RlpError)) throw cause;
    throw unreadable(part, cause.message, cause);
  }
}

function listOf(item: RlpItem | undefined, part: string): readonly RlpItem[] {
  if (item !== undefined && !(item instanceof Uint8Array)) return item;
  throw unreadable(part, "a list is missing");
}

function bytesOf(item: RlpItem | undefined, part: string): Uint8Array {
  if (item instanceof Uint8Array) return item;
  throw unreadable(part, "bytes are missing");
}
