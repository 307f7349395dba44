/** What an operator sees and sets of the network; served only when asked for. See specs/rpc/methods.md#admin. */
import type { ChainView, NetworkQuestion } from "../chain-view.ts";
import type { Json, JsonObject } from "../json.ts";
import { arrayOf, HEX, type JsonSchema, orNull, record } from "../json-schema.ts";
import { method } from "../method.ts";
import { invalidParams, serverError } from "../rpc-errors.ts";
import { asJson, boolean, text } from "../schema.ts";

/** Longer than any multiaddr of a TCP address that ends in a peer id. */
const ADDRESS_LIMIT = 512;

const TEXT: JsonSchema = { type: "string" };
const INTEGER: JsonSchema = { type: "integer" };

const NODE_INFO = record({
  id: TEXT,
  name: TEXT,
  enode: TEXT,
  addresses: arrayOf(TEXT),
  protocols: record({ jurat: record({ network: INTEGER, genesis: HEX.hash, head: HEX.hash }) }),
});

const PEER = record({
  id: TEXT,
  enode: TEXT,
  network: record({ remoteAddress: TEXT, inbound: { type: "boolean" } }),
  protocols: record({
    jurat: record({
      score: { type: "number" },
      headSlot: INTEGER,
      head: HEX.hash,
      finalizedEpoch: INTEGER,
      clockOffsetMs: orNull({ type: "number" }),
    }),
  }),
});

export const nodeInfo = method({
  name: "admin_nodeInfo",
  summary: "This node on the network: its peer id, where it listens, and its chain.",
  params: {},
  result: asJson<JsonObject>("this node on the network", NODE_INFO),
  handle: ({ chain }) => ask<JsonObject>(chain, { about: "nodeInfo" }),
});

export const peers = method({
  name: "admin_peers",
  summary: "The peers this node is connected to, with where each stands.",
  params: {},
  result: asJson<readonly JsonObject[]>("connected peers", arrayOf(PEER)),
  handle: ({ chain }) => ask<readonly JsonObject[]>(chain, { about: "peers" }),
});

export const addPeer = method({
  name: "admin_addPeer",
  summary: "Keeps a connection to an address until the node stops, as to a bootstrap address.",
  params: { address: text },
  result: boolean,
  handle({ chain }, { address }) {
    if (address.length > ADDRESS_LIMIT) throw invalidParams("invalid argument 0 (address): too long");
    return ask<boolean>(chain, { about: "addPeer", address });
  },
});

async function ask<T extends Json>(chain: ChainView, question: NetworkQuestion): Promise<T> {
  const answer = await chain.askNetwork(question);
  if ("unavailable" in answer) throw serverError(answer.unavailable);
  return answer.json as T;
}
