/** Signed beacon blocks as bytes: on disk, on the wire, and what can be read without decoding all of it. */
import type { ChainContainers, SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { SyncBlock } from "../sync/sync-port.ts";

export type BlockCodec = {
  encode(block: SignedBeaconBlock): Uint8Array;
  /** @throws when the bytes are not the SSZ of a SignedBeaconBlock. */
  decode(bytes: Uint8Array): SignedBeaconBlock;
  /** decode, and the root of the block. */
  read(bytes: Uint8Array): SyncBlock<SignedBeaconBlock>;
};

export function createBlockCodec({ SignedBeaconBlock, BeaconBlock }: ChainContainers): BlockCodec {
  const decode = (bytes: Uint8Array) => SignedBeaconBlock.deserialize(bytes);
  return {
    encode: (block) => SignedBeaconBlock.serialize(block),
    decode,
    read(bytes) {
      const block = decode(bytes);
      const { slot, parentRoot } = block.message;
      return {
        slot,
        root: toHex(BeaconBlock.hashTreeRoot(block.message)),
        parentRoot: toHex(parentRoot),
        block,
      };
    },
  };
}

/**
 * SSZ of {message: variable, signature: 96 bytes}: a 4-byte offset, the signature, then the message, which begins
 * with slot, proposer (8 bytes each) and parent.
 */
const SLOT_OFFSET = 4 + 96;
const PARENT_OFFSET = SLOT_OFFSET + 8 + 8;

/** Slot of an encoded block that was valid when it was stored. */
export function slotOfStoredBlock(bytes: Uint8Array): number {
  assert(bytes.length >= SLOT_OFFSET + 8, "a stored block is whole");
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(SLOT_OFFSET, true));
}

/** Root of the parent of such a block. */
export function parentOfStoredBlock(bytes: Uint8Array): Hash {
  assert(bytes.length >= PARENT_OFFSET + 32, "a stored block is whole");
  return toHex(bytes.subarray(PARENT_OFFSET, PARENT_OFFSET + 32));
}
