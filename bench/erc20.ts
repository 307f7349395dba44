/** A token on each kind of node with ten transfers in it, for reads of balances and logs. */
import { type Abi, encodeDeployData, encodeFunctionData } from "viem";
import { fromHex, type Hex } from "../primitives/bytes.ts";
import { compileSolidity } from "../specs/support/solidity.ts";
import type { BenchClient } from "./bench-client.ts";
import { ACCOUNTS, signCall } from "./signed-calls.ts";
import { buildToken } from "./token-artifact.ts";

const TRANSFERS = 10;
const POLL_MS = 20;
const CREATION_GAS = 20_000_000n;
const TRANSFER_GAS = 100_000n;

/** What the TypeScript token does for these calls, in the EVM. */
const SOLIDITY = `contract Token {
  event Transfer(address indexed from, address indexed to, uint256 value);
  mapping(address => uint256) public balanceOf;
  string public name; string public symbol;
  constructor(string memory n, string memory s, uint256 supply) {
    name = n; symbol = s; balanceOf[msg.sender] = supply; emit Transfer(address(0), msg.sender, supply);
  }
  function transfer(address to, uint256 value) external returns (bool) {
    balanceOf[msg.sender] -= value; balanceOf[to] += value; emit Transfer(msg.sender, to, value); return true;
  }
}`;

export type TokenReads = {
  /** Parameters of an eth_call of balanceOf, and of an eth_getLogs that finds the transfers. */
  readonly balanceOf: readonly unknown[];
  readonly logs: readonly unknown[];
};

type Receipt = { readonly contractAddress: Hex; readonly blockNumber: Hex };

/** Deploys from account 0 and transfers. @param evm whether the node runs Solidity's bytecode. */
export async function deployToken(client: BenchClient, chainId: number, evm: boolean): Promise<TokenReads> {
  const { abi, bytecode } = await artifact(evm);
  const creation = fromHex(encodeDeployData({ abi, bytecode, args: ["Token", "TKN", 10n ** 24n] }));
  const { contractAddress: address, blockNumber } = await mined(
    client,
    signCall({ account: 0, nonce: 0, chainId, to: undefined, data: creation, gasLimit: CREATION_GAS }),
  );
  const holder = ACCOUNTS[0]?.address;
  const transfer = fromHex(
    encodeFunctionData({ abi, functionName: "transfer", args: [ACCOUNTS[1]?.address, 1n] }),
  );
  let last = blockNumber;
  for (let nonce = 1; nonce <= TRANSFERS; nonce++) {
    const raw = signCall({ account: 0, nonce, chainId, to: address, data: transfer, gasLimit: TRANSFER_GAS });
    if (nonce < TRANSFERS) await client.call("eth_sendRawTransaction", [raw]);
    else last = (await mined(client, raw)).blockNumber;
  }
  const data = encodeFunctionData({ abi, functionName: "balanceOf", args: [holder] });
  return {
    balanceOf: [{ to: address, data }, "latest"],
    logs: [{ address, fromBlock: blockNumber, toBlock: last }],
  };
}

async function artifact(evm: boolean): Promise<{ readonly abi: Abi; readonly bytecode: Hex }> {
  const ours = await buildToken();
  const bytecode = evm ? compileSolidity(SOLIDITY, { optimizes: true })["Token"]?.bytecode : ours.bytecode;
  return { abi: ours.abi as unknown as Abi, bytecode: (bytecode ?? "0x") as Hex };
}

async function mined(client: BenchClient, raw: Hex): Promise<Receipt> {
  const hash = await client.call<Hex>("eth_sendRawTransaction", [raw]);
  for (;;) {
    const receipt = await client.call<Receipt | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return receipt;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
