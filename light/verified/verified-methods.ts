/** The JSON-RPC methods whose answers can be proven, answered from proofs. See specs/light/verified.md#methods. */
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { blockParameter } from "../../rpc/block-parameter.ts";
import { callParameter } from "../../rpc/call-request.ts";
import type { BlockReference } from "../../rpc/chain-view.ts";
import { encodeBlock } from "../../rpc/encode-block.ts";
import { encodeReceipt } from "../../rpc/encode-receipt.ts";
import { encodeTransaction } from "../../rpc/encode-transaction.ts";
import { callError } from "../../rpc/revert-reason.ts";
import { address, data, hash, type Schema, storageSlot, toQuantity } from "../../rpc/schema.ts";
import type { Block } from "../../vm/block.ts";
import type { ContractMachine } from "../../vm/message.ts";
import { EMPTY_CODE_HASH, NO_ACCOUNT } from "../../vm/state/account-codec.ts";
import { LightError } from "../light-error.ts";
import type { FinalityFollower } from "./finality-follower.ts";
import { type AskNode, readAnswer, readObject } from "./node-answers.ts";
import { fetchAccount } from "./proven-account.ts";
import { fetchBlock, fetchHeader, fetchHeaderAt, fetchReceipts, type ProvenHeader } from "./proven-block.ts";
import { runVerified } from "./verified-call.ts";

export type Verifier = {
  readonly ask: AskNode;
  readonly follower: FinalityFollower;
  readonly chainId: number;
  /** Opened when a call is first run: the engine is a megabyte. */
  machine(): Promise<ContractMachine>;
};

type Params = readonly unknown[];
type Handler = (verifier: Verifier, params: Params) => Promise<unknown>;

/**
 * Answers `method` from proofs, as of the newest final block where a tag (or nothing) names the block.
 *
 * @throws LightError LIGHT_UNPROVABLE for every other method, and when the node lies or does not prove.
 */
export function answerVerified(verifier: Verifier, method: string, params: Params): Promise<unknown> {
  const handler = HANDLERS.get(method);
  if (handler === undefined) throw new LightError({ code: "LIGHT_UNPROVABLE", method });
  return handler(verifier, params);
}

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["eth_chainId", async ({ chainId }) => toQuantity(chainId)],
  ["net_version", async ({ chainId }) => String(chainId)],
  ["eth_blockNumber", async ({ follower }) => toQuantity((await follower.advance()).header.number)],
  ["eth_getBalance", async (verifier, params) => toQuantity((await accountAt(verifier, params)).balance)],
  [
    "eth_getTransactionCount",
    async (verifier, params) => toQuantity((await accountAt(verifier, params)).nonce),
  ],
  ["eth_getCode", getCode],
  ["eth_getStorageAt", getStorageAt],
  ["eth_call", call],
  ["eth_getBlockByNumber", getBlock],
  ["eth_getBlockByHash", getBlock],
  ["eth_getTransactionByHash", getTransaction],
  ["eth_getTransactionReceipt", getReceipt],
  ["eth_sendRawTransaction", sendRawTransaction],
]);

async function accountAt(verifier: Verifier, [at, reference]: Params) {
  const block = await requireBlock(verifier, reference);
  const { account } = await fetchAccount(verifier.ask, block, given(address, at), []);
  return account ?? NO_ACCOUNT;
}

async function getCode(verifier: Verifier, [at, reference]: Params): Promise<unknown> {
  const block = await requireBlock(verifier, reference);
  const { account } = await fetchAccount(verifier.ask, block, given(address, at), []);
  if (account === undefined || account.codeHash === EMPTY_CODE_HASH) return "0x";
  const code = readAnswer(data, await verifier.ask("eth_getCode", [at, { blockHash: block.hash }]), "code");
  if (keccak256Hex(code) !== account.codeHash) {
    throw new LightError({ code: "LIGHT_WRONG_PROOF", of: "account" });
  }
  return toHex(code);
}

async function getStorageAt(verifier: Verifier, [at, slot, reference]: Params): Promise<unknown> {
  const block = await requireBlock(verifier, reference);
  const { words } = await fetchAccount(verifier.ask, block, given(address, at), [given(storageSlot, slot)]);
  return `0x${(words[0] ?? 0n).toString(16).padStart(64, "0")}`;
}

/** @throws RpcError with the revert data, as a node would. */
async function call(verifier: Verifier, [transaction, reference]: Params): Promise<unknown> {
  const { ask, chainId } = verifier;
  const block = await requireBlock(verifier, reference);
  const machine = await verifier.machine();
  const ran = await runVerified({ ask, chainId, machine }, block, given(callParameter, transaction));
  if (ran.outcome !== "success") throw callError(ran);
  return toHex(ran.output);
}

async function getBlock(verifier: Verifier, [reference, full]: Params): Promise<unknown> {
  const header = await findBlock(verifier, reference);
  return header === undefined ? null : encodeBlock(await fetchBlock(verifier.ask, header), full === true);
}

async function getTransaction(verifier: Verifier, [transactionHash]: Params): Promise<unknown> {
  const located = await locate(verifier, given(hash, transactionHash));
  if (located === undefined) return null;
  const { block, index } = located;
  const transaction = block.transactions[index];
  return transaction === undefined ? null : encodeTransaction(transaction, { block, index });
}

async function getReceipt(verifier: Verifier, [transactionHash]: Params): Promise<unknown> {
  const located = await locate(verifier, given(hash, transactionHash));
  if (located === undefined) return null;
  const { block, index } = located;
  return encodeReceipt(block, await fetchReceipts(verifier.ask, block), index) ?? null;
}

/** The node cannot forge a transaction, only withhold it; the hash follows from the bytes. */
async function sendRawTransaction({ ask }: Verifier, params: Params): Promise<unknown> {
  await ask("eth_sendRawTransaction", params);
  return keccak256Hex(given(data, params[0]));
}

/**
 * The final block a transaction is in. That there is none cannot be proven: a node that hides one is believed, as a
 * node that is behind would be.
 */
async function locate(
  verifier: Verifier,
  transactionHash: Hash,
): Promise<{ readonly block: Block; readonly index: number } | undefined> {
  const answer = await verifier.ask("eth_getTransactionByHash", [transactionHash]);
  if (answer === null) return undefined;
  const { blockHash } = readObject(answer, "transaction");
  if (blockHash === null) return undefined;
  const header = await findBlock(verifier, readAnswer(hash, blockHash, "blockHash"));
  if (header === undefined) return undefined;
  const block = await fetchBlock(verifier.ask, header);
  const index = block.transactions.findIndex((transaction) => transaction.hash === transactionHash);
  if (index < 0) throw new LightError({ code: "LIGHT_WRONG_BLOCK", of: "transactions" });
  return { block, index };
}

/** @throws LightError LIGHT_NOT_FINAL */
async function requireBlock(verifier: Verifier, reference: unknown): Promise<ProvenHeader> {
  const block = await findBlock(verifier, reference);
  if (block === undefined) throw new LightError({ code: "LIGHT_NOT_FINAL" });
  return block;
}

/** Undefined for a block that is not final (yet). */
async function findBlock({ ask, follower }: Verifier, json: unknown): Promise<ProvenHeader | undefined> {
  const reference: BlockReference = given(blockParameter, json);
  const final = await follower.advance();
  if ("number" in reference) return fetchHeaderAt(ask, final, reference.number);
  if ("hash" in reference) {
    const claimed = await fetchHeader(ask, reference.hash);
    const canonical = await fetchHeaderAt(ask, final, claimed.header.number);
    return canonical?.hash === reference.hash ? canonical : undefined;
  }
  return reference.tag === "earliest" ? fetchHeaderAt(ask, final, 0) : final;
}

/** A parameter of the caller's own. */
function given<T>(schema: Schema<T>, json: unknown): T {
  return schema.read(json, "parameter");
}
