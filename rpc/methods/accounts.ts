/** What the state says about an account at a block. See specs/rpc/methods.md#accounts. */
import { EMPTY_BYTES, type Hex, toHash } from "../../primitives/bytes.ts";
import { blockParameter, requireBlock, requireState } from "../block-parameter.ts";
import { encodeAccountProof } from "../encode-account-proof.ts";
import type { JsonObject } from "../json.ts";
import { arrayOf, HEX, mapTo, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { invalidParams, prunedHistory } from "../rpc-errors.ts";
import {
  address,
  asJson,
  data,
  hash,
  listOf,
  mapOf,
  quantity,
  type Schema,
  storageSlot,
  toQuantity,
} from "../schema.ts";

/** Storage slots in one request; geth's limit too. */
const SLOTS_LIMIT = 1024;
const TOO_MANY_SLOTS = `too many slots (max ${SLOTS_LIMIT})`;

export const getBalance = method({
  name: "eth_getBalance",
  summary: "Balance of an account in wei.",
  params: { address, block: blockParameter },
  result: quantity,
  handle: ({ chain }, params) => requireState(chain, params.block).account(params.address)?.balance ?? 0n,
});

export const getTransactionCount = method({
  name: "eth_getTransactionCount",
  summary: "Nonce of an account; at `pending` it counts the pool's executable transactions.",
  params: { address, block: blockParameter },
  result: quantity,
  handle({ chain }, params) {
    if ("tag" in params.block && params.block.tag === "pending") return chain.pendingNonce(params.address);
    return requireState(chain, params.block).account(params.address)?.nonce ?? 0n;
  },
});

export const getCode = method({
  name: "eth_getCode",
  summary: "Code of a contract: the container it was created with.",
  params: { address, block: blockParameter },
  result: data,
  handle({ chain }, params) {
    const state = requireState(chain, params.block);
    const account = state.account(params.address);
    return (account === undefined ? undefined : state.code(account.codeHash)) ?? EMPTY_BYTES;
  },
});

export const getStorageAt = method({
  name: "eth_getStorageAt",
  summary: "The 32-byte word in a storage slot.",
  params: { address, slot: storageSlot, block: blockParameter },
  result: hash,
  handle: ({ chain }, params) =>
    toHash(requireState(chain, params.block).storage(params.address, params.slot)),
});

export const getStorageValues = method({
  name: "eth_getStorageValues",
  summary: "Words of storage slots of several accounts.",
  params: {
    requests: mapOf("storage slots by address", address, listOf(storageSlot, SLOTS_LIMIT, TOO_MANY_SLOTS), {
      limit: SLOTS_LIMIT,
      tooMany: TOO_MANY_SLOTS,
    }),
    block: blockParameter,
  },
  result: asJson<JsonObject>("words by address, in the order of the slots", mapTo(arrayOf(HEX.hash))),
  handle({ chain }, { requests, block }) {
    const slots = [...requests.values()].reduce((sum, list) => sum + list.length, 0);
    if (slots === 0) throw invalidParams("empty request");
    if (slots > SLOTS_LIMIT) throw invalidParams(TOO_MANY_SLOTS);
    const state = requireState(chain, block);
    return Object.fromEntries(
      [...requests].map(([at, list]) => [at, list.map((slot) => toHash(state.storage(at, slot)))]),
    );
  },
});

/** A slot together with the key as the client wrote it, which the answer repeats. */
type ProofKey = { readonly slot: Hex; readonly key: Hex };

const proofKey: Schema<ProofKey> = {
  expects: storageSlot.expects,
  shape: storageSlot.shape,
  read(json, at) {
    const slot = storageSlot.read(json, at);
    const isWholeWord = typeof json === "string" && json.length === slot.length;
    return { slot, key: isWholeWord ? slot : toQuantity(BigInt(slot)) };
  },
  write: ({ key }) => key,
};

export const getProof = method({
  name: "eth_getProof",
  summary: "Merkle proofs of an account and of storage slots against the block's state root (EIP-1186).",
  params: {
    address,
    slots: listOf(proofKey, SLOTS_LIMIT, TOO_MANY_SLOTS),
    block: blockParameter,
  },
  result: asJson<JsonObject>("an account proof", ref("AccountProof")),
  handle({ chain }, params) {
    const { hash: blockHash, header } = requireBlock(chain, params.block);
    const slots = params.slots.map(({ slot }) => slot);
    const proof = chain.proof(blockHash, params.address, slots);
    if (proof === undefined) throw prunedHistory("state", header.number, chain.oldestState());
    return encodeAccountProof(
      params.address,
      proof,
      params.slots.map(({ key }) => key),
    );
  },
});
