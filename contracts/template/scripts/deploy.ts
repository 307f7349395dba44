/** Deploys the counter: RPC_URL says where to (the development chain), PRIVATE_KEY with whose funds (its first account). */
import { createPublicClient, createWalletClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { counterAbi } from "../artifacts/Counter.abi.ts";
import { bytecodeOf } from "./artifact.ts";

/** Public: whoever reads this can spend what it holds. */
const FIRST_DEV_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

const transport = http(process.env["RPC_URL"] ?? "http://127.0.0.1:8545");
const account = privateKeyToAccount((process.env["PRIVATE_KEY"] ?? FIRST_DEV_KEY) as Hex);
const reader = createPublicClient({ transport });
const wallet = createWalletClient({ transport, account });

const hash = await wallet.deployContract({
  chain: null,
  abi: counterAbi,
  bytecode: bytecodeOf("Counter"),
  args: [0n],
});
const { contractAddress, blockNumber } = await reader.waitForTransactionReceipt({ hash });
console.log(`Counter is at ${contractAddress}, since block ${blockNumber}`);
