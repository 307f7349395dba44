/** Uncles: there are none under proof of stake, but clients ask. See specs/rpc/methods.md#uncles. */
import { blockNumberOrTag, findBlock } from "../block-parameter.ts";
import { method } from "../method.ts";
import { asJson, count, hash, nullable } from "../schema.ts";

export const getUncleCountByBlockHash = method({
  name: "eth_getUncleCountByBlockHash",
  summary: "Always 0 for a block that exists.",
  params: { hash },
  result: nullable(count),
  handle: ({ chain }, params) => (findBlock(chain, { hash: params.hash }) === undefined ? null : 0),
});

export const getUncleCountByBlockNumber = method({
  name: "eth_getUncleCountByBlockNumber",
  summary: "Always 0 for a block that exists.",
  params: { block: blockNumberOrTag },
  result: nullable(count),
  handle: ({ chain }, params) => (findBlock(chain, params.block) === undefined ? null : 0),
});

export const getUncleByBlockHashAndIndex = method({
  name: "eth_getUncleByBlockHashAndIndex",
  summary: "Always null.",
  params: { hash, index: count },
  result: asJson<null>("null", { type: "null" }),
  handle: () => null,
});

export const getUncleByBlockNumberAndIndex = method({
  name: "eth_getUncleByBlockNumberAndIndex",
  summary: "Always null.",
  params: { block: blockNumberOrTag, index: count },
  result: asJson<null>("null", { type: "null" }),
  handle: () => null,
});
