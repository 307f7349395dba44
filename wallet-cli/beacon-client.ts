/** The consensus side of a node: the beacon API over HTTP, failures as sentences. See specs/wallet/staking.md#the-beacon-api. */
import { findNetwork, type NodeClient, REQUEST_TIMEOUT_MS } from "./node-client.ts";
import { BeaconRefusal, WalletError } from "./wallet-error.ts";

export type BeaconClient = {
  readonly url: string;
  /** @throws BeaconRefusal when the node says no, WalletError (unreachable) when it does not answer. */
  get<T>(path: string): Promise<T>;
  /** Undefined for an answer without a body. */
  post(path: string, body: unknown): Promise<unknown>;
};

export type BeaconFlags = { readonly rpcUrl?: string; readonly beaconUrl?: string };

/**
 * The beacon API that belongs to the JSON-RPC node: the one named by --beacon-url, by the network's settings, or by
 * the node itself.
 * @throws WalletError (unreachable), (failure) when it is of another chain or the node serves none.
 */
export async function connectBeacon(client: NodeClient, flags: BeaconFlags): Promise<BeaconClient> {
  const url = (flags.beaconUrl ?? findNetwork(flags.rpcUrl).beaconUrl ?? (await askNode(client))).replace(
    /\/$/,
    "",
  );
  const beacon = createClient(url);
  const { data } = await beacon.get<{ readonly data: { readonly chain_id: string } }>(
    "/eth/v1/config/deposit_contract",
  );
  if (Number(data?.chain_id) === client.chainId) return beacon;
  throw new WalletError(
    "failure",
    `${url} is of chain ${data?.chain_id}, the node ${client.url} of ${client.chainId}`,
  );
}

/** The node tells the port; its host is the one it is reached at. */
async function askNode({ url, request }: NodeClient): Promise<string> {
  const { beaconPort } = await request<{ readonly beaconPort?: number }>("jurat_status").catch(() => ({
    beaconPort: undefined,
  }));
  if (beaconPort !== undefined) return `http://${new URL(url).hostname}:${beaconPort}`;
  throw new WalletError(
    "failure",
    `the node at ${url} does not tell where its beacon API is: give --beacon-url`,
  );
}

function createClient(url: string): BeaconClient {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      text = await response.text();
    } catch (cause) {
      throw new WalletError("unreachable", `no beacon API answers at ${url}: give --beacon-url`, { cause });
    }
    const body = parse(text, url);
    if (response.ok) return body;
    const message = (body as { readonly message?: unknown } | undefined)?.message;
    throw new BeaconRefusal(
      response.status,
      typeof message === "string" ? message : `status ${response.status}`,
    );
  };
  return {
    url,
    get: async <T>(path: string) => (await ask(path, {})) as T,
    post: (path, body) =>
      ask(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
  };
}

function parse(text: string, url: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WalletError("unreachable", `${url} does not answer with JSON: is it a beacon API?`, { cause });
  }
}
