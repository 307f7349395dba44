/** What a node answers per second over HTTP; the client shares its two cores. Ours, and anvil beside it in the same run. */
import { encodeDeployData, encodeFunctionData } from "viem";
import { fromHex, type Hex, toHex } from "../primitives/bytes.ts";
import { deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { signTransaction } from "../vm/transaction-signature.ts";
import { type BenchClient, createBenchClient } from "./bench-client.ts";
import { buildToken } from "./token-artifact.ts";

const CONNECTIONS = 32;
const WARM_UP = 2_000;
const READS = 5_000;
const TRANSFERS_PER_ACCOUNT = 400;
const POLL_MS = 20;
const GWEI = 10n ** 9n;

export type JsonRpcRates = {
  readonly chainId: number;
  readonly balance: number;
  readonly accepted: number;
  readonly included: number;
};

type Call = { readonly method: string; readonly params: readonly unknown[] };

/** Rates of a node at `url` whose accounts 1 to 9 have sent nothing yet and whose blocks come every second. */
export async function benchJsonRpc(url: string, chainId: number): Promise<JsonRpcRates> {
  const client = createBenchClient(url, CONNECTIONS);
  const address = deriveDevAccounts()[0]?.address;
  try {
    await readsPerSecond(client, "eth_chainId", [], WARM_UP);
    const readRates = {
      chainId: await readsPerSecond(client, "eth_chainId", []),
      balance: await readsPerSecond(client, "eth_getBalance", [address, "latest"]),
    };
    const raws = presigned(chainId);
    const firstBlock = Number(await client.call<Hex>("eth_blockNumber", []));
    const startedAt = performance.now();
    const accepted = await perSecond(
      client,
      raws.map((raw) => ({ method: "eth_sendRawTransaction", params: [raw] })),
    );
    await included(client, firstBlock, raws.length);
    return { ...readRates, accepted, included: raws.length / ((performance.now() - startedAt) / 1000) };
  } finally {
    client.close();
  }
}

/** `eth_call` of the example token's balanceOf, per second. Deploys the token from account 0. */
export async function benchTokenCalls(url: string, chainId: number): Promise<number> {
  const client = createBenchClient(url, CONNECTIONS);
  try {
    const { abi, bytecode } = await buildToken();
    const creation = fromHex(encodeDeployData({ abi, bytecode, args: ["Token", "TKN", 10n ** 24n] }));
    const hash = await client.call<Hex>("eth_sendRawTransaction", [
      sign(0, 0, chainId, undefined, creation, 20_000_000n),
    ]);
    const to = await deployed(client, hash);
    const data = encodeFunctionData({
      abi,
      functionName: "balanceOf",
      args: [deriveDevAccounts()[0]?.address],
    });
    await readsPerSecond(client, "eth_call", [{ to, data }, "latest"], WARM_UP);
    return await readsPerSecond(client, "eth_call", [{ to, data }, "latest"]);
  } finally {
    client.close();
  }
}

function readsPerSecond(client: BenchClient, method: string, params: readonly unknown[], times = READS) {
  return perSecond(
    client,
    Array.from({ length: times }, () => ({ method, params })),
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

async function deployed(client: BenchClient, hash: Hex): Promise<Hex> {
  for (;;) {
    const receipt = await client.call<{ contractAddress: Hex } | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return receipt.contractAddress;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function sign(
  index: number,
  nonce: number,
  chainId: number,
  to: Hex | undefined,
  data: Uint8Array,
  gasLimit: bigint,
) {
  const key = deriveDevAccounts()[index]?.privateKey ?? "0x";
  const fields = {
    nonce: BigInt(nonce),
    to,
    value: to === undefined ? 0n : 1n,
    data,
    gasLimit,
    accessList: [],
  };
  const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI };
  return toHex(signTransaction({ type: 2, chainId: BigInt(chainId), ...fields, ...fees }, fromHex(key)).raw);
}

/** Plain transfers of accounts 1 to 9, round robin, so that nonces arrive in order. */
function presigned(chainId: number): readonly Hex[] {
  const accounts = deriveDevAccounts();
  const raws: Hex[] = [];
  for (let nonce = 0; nonce < TRANSFERS_PER_ACCOUNT; nonce++) {
    for (let index = 1; index < accounts.length; index++) {
      raws.push(sign(index, nonce, chainId, accounts[0]?.address, new Uint8Array(0), 21_000n));
    }
  }
  return raws;
}
