/** Who this node is and how it is: chain id, version, peers, syncing. See specs/rpc/methods.md#network. */
import { keccak256Hex } from "../../primitives/hash.ts";
import { HEX, mapTo } from "../json-schema.ts";
import { method } from "../method.ts";
import { address, asJson, boolean, count, data, hash, listOf, text } from "../schema.ts";
import { encodeSyncing } from "../syncing.ts";

export const chainId = method({
  name: "eth_chainId",
  summary: "The chain id of EIP-155 that transactions are signed for.",
  params: {},
  result: count,
  handle: ({ chain }) => chain.chainId,
});

export const networkVersion = method({
  name: "net_version",
  summary: "The chain id again, in decimal.",
  params: {},
  result: text,
  handle: ({ chain }) => String(chain.chainId),
});

export const listening = method({
  name: "net_listening",
  summary: "Always true: a node that answers is connected to its network port.",
  params: {},
  result: boolean,
  handle: () => true,
});

export const peerCount = method({
  name: "net_peerCount",
  summary: "Peers connected now.",
  params: {},
  result: count,
  handle: ({ chain }) => chain.consensusStatus().peers,
});

export const clientVersion = method({
  name: "web3_clientVersion",
  summary: "Name and version of this program.",
  params: {},
  result: text,
  handle: ({ chain }) => chain.clientVersion,
});

export const sha3 = method({
  name: "web3_sha3",
  summary: "Keccak-256 of the data.",
  params: { data },
  result: hash,
  handle: (_context, params) => keccak256Hex(params.data),
});

export const syncing = method({
  name: "eth_syncing",
  summary: "False when in sync, else how far behind.",
  params: {},
  result: asJson<ReturnType<typeof encodeSyncing>>("false or a progress object", {
    anyOf: [{ const: false }, mapTo(HEX.quantity)],
  }),
  handle: ({ chain }) => encodeSyncing(chain),
});

export const accounts = method({
  name: "eth_accounts",
  summary: "Always empty: the node holds no account keys.",
  params: {},
  result: listOf(address, 0),
  handle: () => [],
});
