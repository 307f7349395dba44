/** The connection to a node, and its failures as sentences. */
import {
  type Chain,
  createPublicClient,
  defineChain,
  HttpRequestError,
  http,
  type PublicClient,
  TimeoutError,
} from "viem";
import { WalletError } from "./wallet-error.ts";

export const DEFAULT_RPC_URL = "http://127.0.0.1:8545";

export type NodeClient = PublicClient<ReturnType<typeof http>, Chain>;

/** @throws WalletError (unreachable) when nothing answers at `url`. */
export async function connect(url: string): Promise<NodeClient> {
  const transport = http(url, { retryCount: 1 });
  try {
    const id = await createPublicClient({ transport }).getChainId();
    const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
    const multicall3 = { address: "0xcA11bde05977b3631167028862bE2a173976CA11" } as const;
    const chain = defineChain({
      id,
      name: `chain ${id}`,
      nativeCurrency,
      rpcUrls: { default: { http: [url] } },
      contracts: { multicall3 },
    });
    return createPublicClient({ chain, transport, pollingInterval: 200 });
  } catch (cause) {
    throw new WalletError(
      "unreachable",
      `no node answers at ${url}: start one with npm run testnet, or give --rpc-url`,
      { cause },
    );
  }
}

/** Whether a request failed because nobody answered, not because of what was asked. */
export function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof HttpRequestError || cause instanceof TimeoutError) return true;
  }
  return false;
}
