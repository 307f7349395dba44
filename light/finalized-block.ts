/** From a finalized root to the block's header and the execution block inside. See specs/light/light-client.md#blocks. */
import { equalBytes, toHex } from "../primitives/bytes.ts";
import { LightError } from "./light-error.ts";
import {
  bytesRoot,
  chunksOf,
  containerRoot,
  isInTree,
  listRoot,
  littleEndianChunk,
  uint64Chunk,
} from "./merkle-root.ts";

/** A consensus block without its body. */
export type LightHeader = {
  readonly slot: number;
  readonly proposerIndex: number;
  readonly parentRoot: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly bodyRoot: Uint8Array;
};

/** The execution payload with its lists replaced by their roots (ExecutionPayloadHeader). */
export type LightExecutionHeader = {
  readonly parentHash: Uint8Array;
  readonly feeRecipient: Uint8Array;
  /** Root of the world state: what `eth_getProof` proves against. */
  readonly stateRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  readonly logsBloom: Uint8Array;
  readonly prevRandao: Uint8Array;
  readonly blockNumber: number;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  readonly timestamp: number;
  readonly extraData: Uint8Array;
  readonly baseFeePerGas: bigint;
  /** Keccak-256 of the RLP header. */
  readonly blockHash: Uint8Array;
  readonly transactionsRoot: Uint8Array;
  readonly withdrawalsRoot: Uint8Array;
};

/** Place of the payload among the eight fields of a body. */
const PAYLOAD_INDEX = 6;
const BODY_DEPTH = 3;
const EXTRA_DATA_LIMIT_BYTES = 32;

/** @throws LightError when the header is not the one with this root. */
export function verifyHeader(header: LightHeader, root: Uint8Array): void {
  const actual = headerRoot(header);
  if (!equalBytes(actual, root)) {
    throw new LightError({ code: "LIGHT_WRONG_HEADER", expected: toHex(root), actual: toHex(actual) });
  }
}

/** hash_tree_root(BeaconBlockHeader): the identity of the block. */
export function headerRoot(header: LightHeader): Uint8Array {
  const { slot, proposerIndex, parentRoot, stateRoot, bodyRoot } = header;
  return containerRoot([uint64Chunk(slot), uint64Chunk(proposerIndex), parentRoot, stateRoot, bodyRoot]);
}

/** @throws LightError when the block does not carry this payload. */
export function verifyExecutionHeader(
  execution: LightExecutionHeader,
  branch: readonly Uint8Array[],
  { bodyRoot }: LightHeader,
): void {
  const leaf = executionHeaderRoot(execution);
  if (branch.length !== BODY_DEPTH || !isInTree(leaf, branch, PAYLOAD_INDEX, bodyRoot)) {
    throw new LightError({ code: "LIGHT_WRONG_PROOF", of: "execution" });
  }
}

/** hash_tree_root of the header, which is that of the payload. */
export function executionHeaderRoot(execution: LightExecutionHeader): Uint8Array {
  const { extraData } = execution;
  return containerRoot([
    execution.parentHash,
    bytesRoot(execution.feeRecipient),
    execution.stateRoot,
    execution.receiptsRoot,
    bytesRoot(execution.logsBloom),
    execution.prevRandao,
    uint64Chunk(execution.blockNumber),
    uint64Chunk(execution.gasLimit),
    uint64Chunk(execution.gasUsed),
    uint64Chunk(execution.timestamp),
    listRoot(chunksOf(extraData), EXTRA_DATA_LIMIT_BYTES / 32, extraData.length),
    littleEndianChunk(execution.baseFeePerGas),
    execution.blockHash,
    execution.transactionsRoot,
    execution.withdrawalsRoot,
  ]);
}
