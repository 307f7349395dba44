/** What a node answers per second over HTTP, on a network of one validator process; the client shares its two cores. */
import { Agent, request } from "node:http";
import { join } from "node:path";
import { type Abi, encodeDeployData, encodeFunctionData } from "viem";
import { buildContract } from "../contracts/build/build-contract.ts";
import { fromHex, type Hex, toHex } from "../primitives/bytes.ts";
import { startSingleNode } from "../specs/support/single-node.ts";
import { PROJECT_ROOT } from "../specs/support/vectors.ts";
import { signTransaction } from "../vm/transaction-signature.ts";
import { deriveDevAccounts } from "../wallet-cli/dev-accounts.ts";

const CONNECTIONS = 32;
const READS = 5_000;
const TRANSFERS_PER_ACCOUNT = 400;
const GWEI = 10n ** 9n;

export type JsonRpcBench = {
  readonly chainIdPerSecond: number;
  readonly balancePerSecond: number;
  readonly callPerSecond: number;
  readonly acceptedPerSecond: number;
  readonly includedPerSecond: number;
};

type Call = { readonly method: string; readonly params: readonly unknown[] };

export async function benchJsonRpc(): Promise<JsonRpcBench> {
  const node = await startSingleNode();
  const client = createClient(node.url);
  try {
    const accounts = deriveDevAccounts();
    const alice = accounts[0];
    if (alice === undefined) throw new Error("no accounts");
    const { token, abi } = await deployToken(client, node.chainId);
    const data = encodeFunctionData({ abi, functionName: "balanceOf", args: [alice.address] });
    const read = (method: string, params: readonly unknown[]) =>
      perSecond(client, repeat({ method, params }, READS));
    const chainIdPerSecond = await read("eth_chainId", []);
    const balancePerSecond = await read("eth_getBalance", [alice.address, "latest"]);
    const callPerSecond = await read("eth_call", [{ to: token, data }, "latest"]);

    const raws = presigned(node.chainId);
    const firstBlock = Number(await client.call<Hex>("eth_blockNumber", []));
    const startedAt = performance.now();
    const acceptedPerSecond = await perSecond(
      client,
      raws.map((raw) => ({ method: "eth_sendRawTransaction", params: [raw] })),
    );
    await included(client, firstBlock, raws.length);
    const includedPerSecond = raws.length / ((performance.now() - startedAt) / 1000);
    return { chainIdPerSecond, balancePerSecond, callPerSecond, acceptedPerSecond, includedPerSecond };
  } finally {
    client.close();
    await node.stop();
  }
}

const repeat = (call: Call, times: number) => Array.from({ length: times }, () => call);

/** Calls per second with CONNECTIONS of them under way at any time. */
async function perSecond(client: Client, calls: readonly Call[]): Promise<number> {
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
async function included(client: Client, firstBlock: number, count: number): Promise<void> {
  let seen = 0;
  for (let number = firstBlock + 1; seen < count; ) {
    const found = await client.call<Hex | null>("eth_getBlockTransactionCountByNumber", [
      `0x${number.toString(16)}`,
    ]);
    if (found === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    seen += Number(found);
    number++;
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

async function deployToken(client: Client, chainId: number) {
  const artifact = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"));
  const abi = artifact.abi as Abi;
  const creation = fromHex(encodeDeployData({ ...artifact, abi, args: ["Token", "TKN", 10n ** 24n] }));
  const hash = await client.call<Hex>("eth_sendRawTransaction", [
    sign(0, 0, chainId, undefined, creation, 20_000_000n),
  ]);
  for (;;) {
    const receipt = await client.call<{ contractAddress: Hex } | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return { token: receipt.contractAddress, abi };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Client = { call<T>(method: string, params: readonly unknown[]): Promise<T>; close(): void };

/** node:http with kept connections: fetch would cost more than what it measures. */
function createClient(url: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { "content-type": "application/json" };
  return {
    close: () => agent.destroy(),
    call: <T>(method: string, params: readonly unknown[]) =>
      new Promise<T>((resolve, reject) => {
        const message = request(url, { method: "POST", agent, headers }, (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            body += chunk;
          });
          response.on("end", () => {
            const answer = JSON.parse(body) as { result: T; error?: { message: string } };
            if (answer.error === undefined) resolve(answer.result);
            else reject(new Error(`${method}: ${answer.error.message}`));
          });
        });
        message.on("error", reject);
        message.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      }),
  };
}
