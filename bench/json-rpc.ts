/** What a node answers per second over HTTP; the client shares its two cores. Ours, and anvil beside it in the same run. */
import type { Hex } from "../primitives/bytes.ts";
import { type BenchClient, createBenchClient } from "./bench-client.ts";
import { deployToken } from "./erc20.ts";
import { ACCOUNTS, signCall } from "./signed-calls.ts";

const CONNECTIONS = 32;
const WARM_UP = 2_000;
const READS = 8_000;
/** Reads that run contract code or scan blocks. */
const HEAVY_READS = 4_000;
const TRANSFERS_PER_ACCOUNT = 300;
/** Of those, the ones sent before the clock starts. */
const WARM_TRANSFERS_PER_ACCOUNT = 100;
const POLL_MS = 20;

export type JsonRpcRates = {
  readonly chainId: number;
  readonly balance: number;
  readonly call: number;
  readonly logs: number;
  readonly accepted: number;
  readonly included: number;
};

type Call = { readonly method: string; readonly params: readonly unknown[] };

export type BenchedNode = {
  readonly url: string;
  readonly chainId: number;
  /** Whether contracts are EVM bytecode there. */
  readonly evm: boolean;
};

/** Rates of a node whose development accounts have sent nothing yet and whose blocks come every second. */
export async function benchJsonRpc({ url, chainId, evm }: BenchedNode): Promise<JsonRpcRates> {
  const client = createBenchClient(url, CONNECTIONS);
  const address = ACCOUNTS[0]?.address;
  try {
    const token = await deployToken(client, chainId, evm);
    const chainIds = (times: number) => readsPerSecond(client, "eth_chainId", () => [], times);
    const logs = (times: number) => readsPerSecond(client, "eth_getLogs", () => token.logs, times);
    // Of a holder nobody asked for before, each time.
    let holder = 0;
    const balances = (times: number) =>
      readsPerSecond(client, "eth_call", () => token.balanceOf(holder++), times);
    await chainIds(WARM_UP);
    await balances(WARM_UP);
    await logs(WARM_UP);
    const readRates = {
      chainId: await chainIds(READS),
      balance: await readsPerSecond(client, "eth_getBalance", () => [address, "latest"], READS),
      call: await balances(HEAVY_READS),
      logs: await logs(HEAVY_READS),
    };
    const sends = presigned(chainId).map((raw) => ({ method: "eth_sendRawTransaction", params: [raw] }));
    const warm = WARM_TRANSFERS_PER_ACCOUNT * (ACCOUNTS.length - 1);
    const firstBlock = Number(await client.call<Hex>("eth_blockNumber", []));
    await perSecond(client, sends.slice(0, warm));
    const startedAt = performance.now();
    const accepted = await perSecond(client, sends.slice(warm));
    await included(client, firstBlock, sends.length);
    const seconds = (performance.now() - startedAt) / 1000;
    return { ...readRates, accepted, included: (sends.length - warm) / seconds };
  } finally {
    client.close();
  }
}

function readsPerSecond(
  client: BenchClient,
  method: string,
  params: () => readonly unknown[],
  times: number,
): Promise<number> {
  return perSecond(
    client,
    Array.from({ length: times }, () => ({ method, params: params() })),
  );
}

/** Calls per second with CONNECTIONS of them under way at any time. */
async function perSecond(client: BenchClient, calls: readonly Call[]): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  const worker = async () => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      await client.call(call.method, call.params);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return calls.length / ((performance.now() - startedAt) / 1000);
}

/** Resolves when the blocks after `firstBlock` hold `count` transactions. */
async function included(client: BenchClient, firstBlock: number, count: number): Promise<void> {
  let seen = 0;
  for (let number = firstBlock + 1; seen < count; ) {
    // anvil answers an error, not null, for a block that is not there yet.
    if (Number(await client.call<Hex>("eth_blockNumber", [])) < number) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    const params = [`0x${number.toString(16)}`];
    seen += Number(await client.call<Hex>("eth_getBlockTransactionCountByNumber", params));
    number++;
  }
}

/** Plain transfers of accounts 1 to 9, round robin, so that nonces arrive in order. */
function presigned(chainId: number): readonly Hex[] {
  const raws: Hex[] = [];
  for (let nonce = 0; nonce < TRANSFERS_PER_ACCOUNT; nonce++) {
    for (let index = 1; index < ACCOUNTS.length; index++) {
      raws.push(
        signCall({
          ...{ account: index, nonce, chainId, to: ACCOUNTS[0]?.address, value: 1n },
          ...{ data: new Uint8Array(0), gasLimit: 21_000n },
        }),
      );
    }
  }
  return raws;
}
