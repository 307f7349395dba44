/**
 * The connection to a node: JSON-RPC over HTTP, failures as sentences. Written on fetch alone, because a library's
 * start-up would be most of the time a read takes.
 */
import { type Network, readConfig } from "./config.ts";
import { DEFAULT_RPC_URL } from "./defaults.ts";
import { NodeRefusal, WalletError } from "./wallet-error.ts";

/** Longer than any limit of a call on a node, so that the node's own answer comes first. */
export const REQUEST_TIMEOUT_MS = 30_000;

const SHOWN_ANSWER_LENGTH = 60;

export type NodeClient = {
  readonly url: string;
  readonly chainId: number;
  /** @throws NodeRefusal when the node answers with an error, WalletError (unreachable) when it does not answer. */
  request<T>(method: string, params?: readonly unknown[]): Promise<T>;
};

/**
 * The node that `text` names: a URL, a network of the settings, or when it is undefined the settings' network.
 * @throws WalletError (usage) for an unknown name, (unreachable), (failure) when it is a node of another chain.
 */
export async function connect(text: string | undefined): Promise<NodeClient> {
  const { rpcUrl, chainId: expected } = findNetwork(text);
  const request = requestOf(rpcUrl);
  const chainId = Number(await request<string>("eth_chainId"));
  if (expected !== undefined && expected !== chainId) {
    throw new WalletError("failure", `${rpcUrl} is a node of chain ${chainId}, expected chain ${expected}`);
  }
  return { url: rpcUrl, chainId, request };
}

export function findNetwork(text: string | undefined): Network {
  if (text !== undefined && /^https?:\/\//.test(text)) return { rpcUrl: text };
  const { network, networks } = readConfig();
  const name = text ?? network;
  if (name === undefined) return { rpcUrl: DEFAULT_RPC_URL };
  const found = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(networks).join(", ") || "none";
  throw new WalletError("usage", `"${name}" is neither an http URL nor a known network (${known})`);
}

type Answer = {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string; readonly data?: unknown };
};

function requestOf(url: string): NodeClient["request"] {
  let hasAnswered = false;
  return async <T>(method: string, params: readonly unknown[] = []): Promise<T> => {
    let answer: Answer;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      answer = (await response.json()) as Answer;
    } catch (cause) {
      throw new WalletError("unreachable", silence(url, hasAnswered, cause), { cause });
    }
    hasAnswered = true;
    const { error, result } = answer ?? {};
    if (error !== undefined) throw new NodeRefusal(error.code ?? 0, error.message ?? "an error", error.data);
    requireAnswer(url, method, result);
    return result as T;
  };
}

const isHexNumber = (value: unknown) => typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value);
const isHexData = (value: unknown) => typeof value === "string" && /^0x([0-9a-f]{2})*$/i.test(value);
const isObjectOrNull = (value: unknown) => typeof value === "object" && !Array.isArray(value);

/** What an answer must be at least, of the methods whose answer the wallet computes with. */
const ANSWERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  eth_chainId: isHexNumber,
  eth_blockNumber: isHexNumber,
  eth_gasPrice: isHexNumber,
  eth_maxPriorityFeePerGas: isHexNumber,
  eth_getBalance: isHexNumber,
  eth_getTransactionCount: isHexNumber,
  eth_estimateGas: isHexNumber,
  eth_call: isHexData,
  eth_getCode: isHexData,
  eth_getStorageAt: isHexData,
  eth_sendRawTransaction: isHexData,
  eth_getBlockByNumber: isObjectOrNull,
  eth_getBlockByHash: isObjectOrNull,
  eth_getTransactionByHash: isObjectOrNull,
  eth_getTransactionReceipt: isObjectOrNull,
  eth_getProof: isObjectOrNull,
  eth_getLogs: Array.isArray,
};

/** @throws WalletError (unreachable) when it is no answer to `method` at all. */
function requireAnswer(url: string, method: string, result: unknown): void {
  if (result === undefined) {
    throw new WalletError("unreachable", `${url} does not speak JSON-RPC: is it the right address?`);
  }
  const isAnswer = Object.hasOwn(ANSWERS, method) ? ANSWERS[method] : undefined;
  if (isAnswer === undefined || isAnswer(result)) return;
  const text = String(JSON.stringify(result)).slice(0, SHOWN_ANSWER_LENGTH);
  throw new WalletError(
    "unreachable",
    `${url} answers ${method} with ${text}: is it the JSON-RPC of a node?`,
  );
}

function silence(url: string, hasAnswered: boolean, cause: unknown): string {
  if (cause instanceof SyntaxError)
    return `${url} does not answer with JSON: is it the JSON-RPC of a node, or something else?`;
  if (hasAnswered) return `the node at ${url} stopped answering`;
  return `no node answers at ${url}: start one with npm run testnet, or give --rpc-url`;
}
