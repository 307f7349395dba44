/** The tour with viem: wallet, public and WebSocket clients. */
import {
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  getContract,
  http,
  parseEventLogs,
  parseSignature,
  webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  ALLOWED,
  DEADLINE,
  type Findings,
  GWEI,
  isProvenContract,
  MULTICALL3,
  permitOf,
  TOKEN_ARGUMENTS,
  type TourWorld,
  TRANSFERRED,
} from "./tour.ts";

export function viemChain({ url, chainId }: Pick<TourWorld, "url" | "chainId">): Chain {
  return defineChain({
    id: chainId,
    name: "jurat",
    nativeCurrency: { name: "Jurat", symbol: "JUR", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
    contracts: { multicall3: { address: MULTICALL3 } },
  });
}

export async function viemTour(world: TourWorld): Promise<Findings> {
  const { abi, bytecode, owner, recipient } = world;
  const chain = viemChain(world);
  const account = privateKeyToAccount(world.key);
  const wallet = createWalletClient({ chain, account, transport: http() });
  const reader = createPublicClient({ chain, transport: http(), pollingInterval: 100 });
  const socket = createPublicClient({
    chain,
    transport: webSocket(world.webSocketUrl, { reconnect: false }),
  });
  const mined = (hash: `0x${string}`) => reader.waitForTransactionReceipt({ hash });

  const creation = await mined(await wallet.deployContract({ abi, bytecode, args: TOKEN_ARGUMENTS }));
  const address = creation.contractAddress as `0x${string}`;
  const token = getContract({ address, abi, client: { public: reader, wallet } });

  const told = Promise.withResolvers<bigint>();
  const { unsubscribe } = await socket.transport.subscribe({
    params: ["logs", { address }],
    onData: ({ result }) => told.resolve(BigInt(result.data)),
  });
  const filter = await reader.createContractEventFilter({ address, abi, eventName: "Transfer" });
  const gas = await reader.estimateContractGas({
    address,
    abi,
    functionName: "transfer",
    args: [recipient, TRANSFERRED],
    account,
  });
  const fees = await reader.estimateFeesPerGas();
  const args = [recipient, TRANSFERRED] as const;
  const transfer = await mined(
    await wallet.writeContract({ address, abi, functionName: "transfer", args, gas, ...fees }),
  );
  const changes = await reader.getFilterChanges({ filter });
  const events = parseEventLogs({ abi, logs: changes, eventName: "Transfer" });
  const subscribed = await told.promise;
  await unsubscribe();
  (await socket.transport.getRpcClient()).close();

  const { r, s, v } = parseSignature(await account.signTypedData(permitOf(world, address)));
  const permit = [owner, recipient, ALLOWED, DEADLINE, Number(v), r, s] as const;
  await mined(await wallet.writeContract({ address, abi, functionName: "permit", args: permit }));

  const balanceOf = (holder: string) =>
    ({ address, abi, functionName: "balanceOf", args: [holder] }) as const;
  const multicall = await reader.multicall({
    contracts: [balanceOf(owner), balanceOf(recipient)],
    allowFailure: false,
  });
  const block = await reader.getBlock();
  const proof = await reader.getProof({ address, storageKeys: [], blockNumber: block.number });
  return {
    received: (await token["read"]?.["balanceOf"]?.([recipient])) as bigint,
    filtered: events.map(({ args: found }) => (found as unknown as { value: bigint }).value),
    subscribed,
    allowance: (await token["read"]?.["allowance"]?.([owner, recipient])) as bigint,
    multicall: multicall as readonly bigint[],
    isProven: isProvenContract(block.stateRoot, address, proof.accountProof),
    isEstimated: transfer.status === "success" && transfer.gasUsed <= gas,
    replacement: await replace(),
  };

  async function replace(): Promise<bigint> {
    const nonce = await reader.getTransactionCount({ address: owner });
    const send = (offset: number, value: bigint, tip: bigint) =>
      wallet.sendTransaction({
        ...{ to: recipient, value, nonce: nonce + offset, gas: 21_000n },
        ...{ maxPriorityFeePerGas: tip * GWEI, maxFeePerGas: 100n * tip * GWEI },
      });
    await send(1, 1n, 1n);
    const second = await send(1, 2n, 2n);
    await send(0, 3n, 1n);
    await mined(second);
    return (await reader.getTransaction({ hash: second })).value;
  }
}
