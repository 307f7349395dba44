/** The tour with wagmi core: one configuration, and actions that take it. */
import {
  createConfig,
  deployContract,
  estimateFeesPerGas,
  estimateGas,
  getBlock,
  getProof,
  getTransaction,
  getTransactionCount,
  http,
  readContract,
  readContracts,
  sendTransaction,
  signTypedData,
  waitForTransactionReceipt,
  watchContractEvent,
  webSocket,
  writeContract,
} from "@wagmi/core";
import { encodeFunctionData, parseSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  ALLOWED,
  DEADLINE,
  type Findings,
  GWEI,
  isProvenContract,
  permitOf,
  TOKEN_ARGUMENTS,
  type TourWorld,
  TRANSFERRED,
} from "./tour.ts";
import { viemChain } from "./viem-tour.ts";

export async function wagmiTour(world: TourWorld): Promise<Findings> {
  const { abi, bytecode, owner, recipient } = world;
  const chain = viemChain(world);
  const account = privateKeyToAccount(world.key);
  const polling = { multiInjectedProviderDiscovery: false, pollingInterval: 100 } as const;
  const config = createConfig({ chains: [chain], transports: { [chain.id]: http() }, ...polling });
  const socket = createConfig({
    chains: [chain],
    transports: { [chain.id]: webSocket(world.webSocketUrl, { reconnect: false }) },
    ...polling,
  });
  const mined = (hash: `0x${string}`) => waitForTransactionReceipt(config, { hash });

  const creation = await mined(
    await deployContract(config, { abi, bytecode, args: TOKEN_ARGUMENTS, account }),
  );
  const address = creation.contractAddress as `0x${string}`;
  const event = { address, abi, eventName: "Transfer" } as const;
  const filtered = Promise.withResolvers<bigint>();
  const subscribed = Promise.withResolvers<bigint>();
  const tell = (told: typeof filtered) => (logs: readonly object[]) => told.resolve(valueIn(logs[0]));
  const stopPolling = watchContractEvent(config, { ...event, poll: true, onLogs: tell(filtered) });
  const stopListening = watchContractEvent(socket, { ...event, onLogs: tell(subscribed) });
  let isTold = false;
  const told = Promise.all([filtered.promise, subscribed.promise]).finally(() => {
    isTold = true;
  });

  const transferTo = async (to: `0x${string}`, more: object = {}) => {
    const write = { address, abi, functionName: "transfer", args: [to, TRANSFERRED], account, ...more };
    return mined(await writeContract(config, write as never));
  };
  const data = encodeFunctionData({ abi, functionName: "transfer", args: [recipient, TRANSFERRED] });
  const gas = await estimateGas(config, { account, to: address, data });
  const transfer = await transferTo(recipient, { gas, ...(await estimateFeesPerGas(config)) });
  // wagmi does not say when a watch has begun, so there are events until both tell of one.
  while (!isTold) await transferTo(owner);
  const [polled, pushed] = await told;
  stopPolling();
  stopListening();
  (await socket.getClient().transport.getRpcClient()).close();

  const { r, s, v } = parseSignature(await signTypedData(config, { account, ...permitOf(world, address) }));
  const permit = [owner, recipient, ALLOWED, DEADLINE, Number(v), r, s] as const;
  await mined(await writeContract(config, { address, abi, functionName: "permit", args: permit, account }));

  const read = (functionName: string, ...of: string[]) => ({ address, abi, functionName, args: of });
  const contracts = [read("balanceOf", owner), read("balanceOf", recipient)];
  const multicall = await readContracts(config, { contracts, allowFailure: false });
  const block = await getBlock(config);
  const proof = await getProof(config, { address, storageKeys: [], blockNumber: block.number });
  return {
    filtered: [polled],
    subscribed: pushed,
    received: (await readContract(config, read("balanceOf", recipient))) as bigint,
    allowance: (await readContract(config, read("allowance", owner, recipient))) as bigint,
    multicall: multicall as readonly bigint[],
    isProven: isProvenContract(block.stateRoot, address, proof.accountProof),
    isEstimated: transfer.status === "success" && transfer.gasUsed <= gas,
    replacement: await replace(),
  };

  async function replace(): Promise<bigint> {
    const nonce = await getTransactionCount(config, { address: owner });
    const send = (offset: number, value: bigint, tip: bigint) =>
      sendTransaction(config, {
        ...{ account, to: recipient, value, nonce: nonce + offset, gas: 21_000n },
        ...{ maxPriorityFeePerGas: tip * GWEI, maxFeePerGas: 100n * tip * GWEI },
      });
    await send(1, 1n, 1n);
    const second = await send(1, 2n, 2n);
    await send(0, 3n, 1n);
    await mined(second);
    return (await getTransaction(config, { hash: second })).value;
  }
}

function valueIn(log: object | undefined): bigint {
  return (log as { readonly args: { readonly value: bigint } }).args.value;
}
