/** The counter, driven by viem on a chain of its own. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { after, before, it } from "node:test";
import { createPublicClient, createWalletClient, getContract, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { counterAbi } from "../artifacts/Counter.abi.ts";
import { bytecodeOf } from "../scripts/artifact.ts";
import { type DevChain, startDevChain } from "./dev-chain.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
const alice = mnemonicToAccount(MNEMONIC, { addressIndex: 0 });
const bob = mnemonicToAccount(MNEMONIC, { addressIndex: 1 });

let chain: DevChain;
before(async () => {
  chain = await startDevChain();
});
after(() => chain.stop());

async function deployCounter(start: bigint) {
  const transport = http(chain.url);
  const reader = createPublicClient({ chain: anvil, transport, pollingInterval: 50 });
  const wallet = createWalletClient({ chain: anvil, transport, account: alice });
  const hash = await wallet.deployContract({
    abi: counterAbi,
    bytecode: bytecodeOf("Counter"),
    args: [start],
  });
  const { contractAddress } = await reader.waitForTransactionReceipt({ hash });
  ok(contractAddress);
  const counter = getContract({
    abi: counterAbi,
    address: contractAddress,
    client: { public: reader, wallet },
  });
  return { counter, reader };
}

it("counts, and says who counted", async () => {
  const { counter, reader } = await deployCounter(41n);
  const hash = await counter.write.increment({ account: bob });
  const { blockNumber } = await reader.waitForTransactionReceipt({ hash });
  equal(await counter.read.count(), 42n);
  const [event] = await counter.getEvents.Counted({}, { fromBlock: blockNumber });
  deepEqual(event?.args, { by: bob.address, count: 42n });
});

it("is set back by its owner only", async () => {
  const { counter, reader } = await deployCounter(7n);
  await rejects(counter.simulate.reset({ account: bob }), /NotOwner/);
  await reader.waitForTransactionReceipt({ hash: await counter.write.reset() });
  equal(await counter.read.count(), 0n);
});
