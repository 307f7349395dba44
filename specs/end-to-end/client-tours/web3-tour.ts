/** The tour with web3.js 4: contract objects, a wallet of keys, and event subscriptions. */
import { eth, Web3 } from "web3";
import { closeWeb3 } from "../../support/close-web3.ts";
import {
  ALLOWED,
  DEADLINE,
  DOMAIN_TYPE,
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
  {
    type: "function",
    name: "aggregate3",
    stateMutability: "payable",
    inputs: [
      {
        name: "calls",
        type: "tuple[]",
        components: [
          { name: "target", type: "address" },
          { name: "allowFailure", type: "bool" },
          { name: "callData", type: "bytes" },
        ],
      },
    ],
    outputs: [
      {
        name: "results",
        type: "tuple[]",
        components: [
          { name: "success", type: "bool" },
          { name: "returnData", type: "bytes" },
        ],
      },
    ],
  },
] as const;

// biome-ignore lint/suspicious/noExplicitAny: web3 has no types for a contract whose ABI is read at run time.
type Loose = any;

export async function web3Tour(world: TourWorld): Promise<Findings> {
  const { owner, recipient } = world;
  const web3 = new Web3(world.url);
  web3.eth.accounts.wallet.add(world.key);
  web3.eth.transactionPollingInterval = 100;
  web3.eth.transactionConfirmationBlocks = 1;
  const socket = new Web3(world.webSocketUrl);
  try {
    const created = new web3.eth.Contract(world.abi as Loose).deploy({
      data: world.bytecode,
      arguments: TOKEN_ARGUMENTS as Loose,
    });
    const token: Loose = await created.send({
      from: owner,
      gas: String(await created.estimateGas({ from: owner })),
    });
    const address: string = token.options.address;

    const told = Promise.withResolvers<bigint>();
    const watched: Loose = new socket.eth.Contract(world.abi as Loose, address);
    const subscription = watched.events.Transfer({ filter: { to: recipient } });
    subscription.on("data", (event: Loose) => told.resolve(event.returnValues.value));
    // The subscription is on its way; an answer to a later request comes after its own.
    await socket.eth.getBlockNumber();

    const transfer = token.methods.transfer(recipient, TRANSFERRED);
    const gas: bigint = await transfer.estimateGas({ from: owner });
    const receipt = await transfer.send({ from: owner, gas: String(gas) });
    const events: Loose[] = await token.getPastEvents("Transfer", {
      filter: { to: recipient },
      fromBlock: receipt.blockNumber,
      toBlock: "latest",
    });
    const subscribed = await told.promise;
    await subscription.unsubscribe();

    const { types, ...permit } = permitOf(world, address as `0x${string}`);
    const typed = { ...permit, types: { EIP712Domain: DOMAIN_TYPE, ...types } };
    const digest = eth.abi.getEncodedEip712Data(typed as Loose, true);
    const { v, r, s } = eth.accounts.signMessageWithPrivateKey(digest, world.key);
    await token.methods.permit(owner, recipient, ALLOWED, DEADLINE, v, r, s).send({ from: owner });

    const calls = [owner, recipient].map((holder) => ({
      target: address,
      allowFailure: false,
      callData: token.methods.balanceOf(holder).encodeABI(),
    }));
    const multicall: Loose = new web3.eth.Contract(MULTICALL_ABI, MULTICALL3);
    const results: { readonly returnData: string }[] = await multicall.methods.aggregate3(calls).call();
    const block = await web3.eth.getBlock();
    const proof = await web3.eth.getProof(address, [], block.number);
    return {
      received: await token.methods.balanceOf(recipient).call(),
      filtered: events.map((event) => event.returnValues.value),
      subscribed,
      allowance: await token.methods.allowance(owner, recipient).call(),
      multicall: results.map(({ returnData }) => BigInt(returnData)),
      isProven: isProvenContract(String(block.stateRoot), address, proof.accountProof as string[]),
      isEstimated: receipt.status === 1n && receipt.gasUsed <= gas,
      replacement: await replace(web3, world),
    };
  } finally {
    await closeWeb3(socket);
  }
}

async function replace(web3: Web3, { key, owner, recipient }: TourWorld): Promise<bigint> {
  const nonce = await web3.eth.getTransactionCount(owner);
  const send = async (offset: bigint, value: bigint, tip: bigint): Promise<string> => {
    const signed = await web3.eth.accounts.signTransaction(
      {
        ...{ from: owner, to: recipient, value, nonce: nonce + offset, gas: 21_000n },
        ...{ maxPriorityFeePerGas: tip * GWEI, maxFeePerGas: 100n * tip * GWEI },
      },
      key,
    );
    // web3.js's own sending would wait, in the background and for minutes, for the one that is replaced.
    const params = [signed.rawTransaction];
    return web3.requestManager.send({ method: "eth_sendRawTransaction", params });
  };
  await send(1n, 1n, 1n);
  const second = await send(1n, 2n, 2n);
  await send(0n, 3n, 1n);
  for (;;) {
    const transaction = await web3.eth.getTransaction(second);
    if (transaction.blockNumber != null) return BigInt(transaction.value);
  }
}
