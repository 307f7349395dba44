/** Deploys the token, calls it, and prints what it found. */
import { network } from "hardhat";
import { type BaseError, ContractFunctionRevertedError } from "viem";

const RECIPIENT = "0x00000000000000000000000000000000000000aa";

const { viem } = await network.create();
const reader = await viem.getPublicClient();
const [owner] = await viem.getWalletClients();
if (owner === undefined) throw new Error("hardhat.config.ts names an account");

const token = await viem.deployContract("Token", ["Hardhat", "HAT", 1000n]);
const gas = await token.estimateGas.transfer([RECIPIENT, 40n]);
const hash = await token.write.transfer([RECIPIENT, 40n], { gas });
const receipt = await reader.waitForTransactionReceipt({ hash });
const events = await token.getEvents.Transfer({ to: RECIPIENT }, { fromBlock: receipt.blockNumber });
const refused = await token.write.transfer([RECIPIENT, 1001n]).then(
  () => undefined,
  (error: BaseError) => error.walk((cause) => cause instanceof ContractFunctionRevertedError),
);

const again = await viem.getContractAt("Token", token.address);
const second = await viem.sendDeploymentTransaction("Token", ["Second", "TWO", 1n]);
await reader.waitForTransactionReceipt({ hash: second.deploymentTransaction.hash });
const findings = {
  owner: owner.account.address.toLowerCase(),
  name: await token.read.name(),
  status: receipt.status,
  isEstimated: receipt.gasUsed <= gas,
  received: String(await again.read.balanceOf([RECIPIENT])),
  events: events.map(({ args }) => String(args.value)),
  refusal: (refused as ContractFunctionRevertedError | undefined)?.data?.errorName,
  second: await second.contract.read.symbol(),
};
console.log(JSON.stringify(findings));
