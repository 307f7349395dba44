/** The block parameter: number, tag, hash, EIP-1898 object, or omitted. See specs/rpc/schemas.md#block-parameter. */
import type { Block } from "../vm/block.ts";
import type { StateReader } from "../vm/state/account.ts";
import type { BlockReference, BlockTag, ChainView } from "./chain-view.ts";
import { isJsonObject } from "./json.ts";
import { HEX, type JsonSchema, record } from "./json-schema.ts";
import { prunedHistory, serverError } from "./rpc-errors.ts";
import { boolean, count, hash, optional, type Schema, SchemaError, toQuantity } from "./schema.ts";

const TAGS: readonly BlockTag[] = ["earliest", "finalized", "safe", "latest", "pending"];
const NUMBER_OR_TAG: JsonSchema = { anyOf: [HEX.quantity, { enum: TAGS }] };
const HASH_TEXT_LENGTH = 66;
const requireCanonicalField = optional(boolean, false);

export const LATEST: BlockReference = { tag: "latest" };

function readNumberOrTag(json: unknown, at: string): BlockReference {
  const tag = TAGS.find((known) => known === json);
  return tag === undefined ? { number: count.read(json, at) } : { tag };
}

function writeReference(
  reference: BlockReference,
): string | { blockHash: string; requireCanonical: boolean } {
  if ("tag" in reference) return reference.tag;
  if ("number" in reference) return toQuantity(reference.number);
  return { blockHash: reference.hash, requireCanonical: reference.requireCanonical ?? false };
}

/** A number or a tag; what eth_getBlockByNumber and log ranges take. */
export const blockNumberOrTag: Schema<BlockReference> = {
  expects: "a block number or tag",
  shape: NUMBER_OR_TAG,
  read: readNumberOrTag,
  write: writeReference,
};

/** Everything that can name a block. */
export const anyBlock: Schema<BlockReference> = {
  expects: "a block number, tag, hash, or EIP-1898 object",
  shape: {
    anyOf: [
      NUMBER_OR_TAG,
      HEX.hash,
      record({ blockNumber: NUMBER_OR_TAG }),
      record({ blockHash: HEX.hash }, { requireCanonical: { type: "boolean" } }),
    ],
  },
  read(json, at) {
    if (typeof json === "string" && json.length === HASH_TEXT_LENGTH) return { hash: hash.read(json, at) };
    if (!isJsonObject(json)) return readNumberOrTag(json, at);
    const { blockNumber, blockHash, requireCanonical } = json;
    if (blockNumber !== undefined && blockHash !== undefined) {
      throw new SchemaError(at, "cannot specify both BlockHash and BlockNumber, choose one or the other");
    }
    if (blockNumber !== undefined) return readNumberOrTag(blockNumber, `${at}.blockNumber`);
    return {
      hash: hash.read(blockHash, `${at}.blockHash`),
      requireCanonical: requireCanonicalField.read(requireCanonical, `${at}.requireCanonical`),
    };
  },
  write: writeReference,
};

/** As everywhere in Ethereum, leaving it out means the latest block. */
export const blockParameter: Schema<BlockReference> = optional(anyBlock, LATEST);

/**
 * The block a query is about.
 * @throws RpcError "header not found", or that its history was pruned.
 */
export function requireBlock(chain: ChainView, reference: BlockReference): Block {
  const block = findBlock(chain, reference);
  if (block === undefined) throw serverError("header not found");
  if ("hash" in reference && reference.requireCanonical === true && !chain.isCanonical(block.hash)) {
    throw serverError("hash is not currently canonical");
  }
  return block;
}

/**
 * The block, or undefined when there is none (yet).
 * @throws RpcError 4444 when there was one and its body is no longer kept.
 */
export function findBlock(chain: ChainView, reference: BlockReference): Block | undefined {
  const block = chain.block(reference);
  if (block !== undefined || !("number" in reference)) return block;
  const oldest = chain.oldestBlock();
  if (reference.number < oldest && reference.number <= chain.head().header.number) {
    throw prunedHistory("block", reference.number, oldest);
  }
  return undefined;
}

/** @throws RpcError as requireBlock, or 4444 when the block's state is no longer kept. */
export function requireState(chain: ChainView, reference: BlockReference): StateReader {
  const { hash: blockHash, header } = requireBlock(chain, reference);
  const state = chain.stateAt(blockHash);
  if (state === undefined) throw prunedHistory("state", header.number, chain.oldestState());
  return state;
}
