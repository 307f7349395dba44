/** The tour with ethers 6: JSON-RPC and WebSocket providers, contract objects. */
import {
  Contract,
  ContractFactory,
  type EventLog,
  JsonRpcProvider,
  Signature,
  Wallet,
  WebSocketProvider,
} from "ethers";
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

const MULTICALL_ABI = [
  "function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable returns ((bool success, bytes returnData)[])",
];

export async function ethersTour(world: TourWorld): Promise<Findings> {
  const { owner, recipient } = world;
  const abi = world.abi as never;
  const provider = new JsonRpcProvider(world.url, undefined, { polling: true, pollingInterval: 100 });
  const socket = new WebSocketProvider(world.webSocketUrl);
  try {
    const signer = new Wallet(world.key, provider);
    const deployed = await new ContractFactory(abi, world.bytecode, signer).deploy(...TOKEN_ARGUMENTS);
    await deployed.waitForDeployment();
    const address = await deployed.getAddress();
    const token = new Contract(address, abi, signer);

    const told = Promise.withResolvers<bigint>();
    await new Contract(address, abi, socket).on("Transfer", (_from, _to, value) => told.resolve(value));
    // The subscription is under way when `on` returns; asking for anything waits behind it.
    await socket.getBlockNumber();
    const transfer = token.getFunction("transfer");
    const gasLimit = await transfer.estimateGas(recipient, TRANSFERRED);
    const receipt = await (await transfer.send(recipient, TRANSFERRED, { gasLimit })).wait();
    const events = await token.queryFilter(
      token.filters["Transfer"]?.(owner, recipient) ?? "Transfer",
      receipt?.blockNumber,
      "latest",
    );

    const { domain, types, message } = permitOf(world, address as `0x${string}`);
    const { v, r, s } = Signature.from(await signer.signTypedData(domain, types, message));
    const permit = await token.getFunction("permit").send(owner, recipient, ALLOWED, DEADLINE, v, r, s);
    await permit.wait();

    const calls = [owner, recipient].map((holder) => ({
      target: address,
      allowFailure: false,
      callData: token.interface.encodeFunctionData("balanceOf", [holder]),
    }));
    const multicall = new Contract(MULTICALL3, MULTICALL_ABI, provider).getFunction("aggregate3");
    const results = (await multicall.staticCall(calls)) as readonly { readonly returnData: string }[];
    const block = await provider.send("eth_getBlockByNumber", ["latest", false]);
    const proof = await provider.send("eth_getProof", [address, [], block.number]);
    return {
      received: await token.getFunction("balanceOf").staticCall(recipient),
      filtered: events.map((event) => (event as EventLog).args["value"] as bigint),
      subscribed: await told.promise,
      allowance: await token.getFunction("allowance").staticCall(owner, recipient),
      multicall: results.map(({ returnData }) => BigInt(returnData)),
      isProven: isProvenContract(block.stateRoot, address, proof.accountProof),
      isEstimated: receipt?.status === 1 && receipt.gasUsed <= gasLimit,
      replacement: await replace(signer, recipient),
    };
  } finally {
    provider.destroy();
    await socket.destroy();
  }
}

async function replace(signer: Wallet, to: string): Promise<bigint> {
  const nonce = await signer.getNonce();
  const send = (offset: number, value: bigint, tip: bigint) =>
    signer.sendTransaction({
      ...{ to, value, nonce: nonce + offset, gasLimit: 21_000n },
      ...{ maxPriorityFeePerGas: tip * GWEI, maxFeePerGas: 100n * tip * GWEI },
    });
  await send(1, 1n, 1n);
  const second = await send(1, 2n, 2n);
  await send(0, 3n, 1n);
  await second.wait();
  return (await signer.provider?.getTransaction(second.hash))?.value ?? 0n;
}
