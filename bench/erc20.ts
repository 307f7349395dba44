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
/** 0x and four bytes. */
const SELECTOR_CHARACTERS = 10;

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

export type BenchedToken = {
  /** Parameters of an eth_call of balanceOf, of another holder for each index: no answer is known beforehand. */
  balanceOf(index: number): readonly unknown[];
  /** Parameters of an eth_getLogs that finds the transfers. */
  readonly logs: readonly unknown[];
  /** A signed transfer of account 0, whose next nonce it is. */
  transfer(nonce: number): Hex;
  readonly nextNonce: number;
};

type Receipt = { readonly contractAddress: Hex; readonly blockNumber: Hex };

/** Deploys from account 0 and transfers. @param evm whether the node runs Solidity's bytecode. */
export async function deployToken(client: BenchClient, chainId: number, evm: boolean): Promise<BenchedToken> {
  const { abi, bytecode } = await artifact(evm);
  const creation = fromHex(encodeDeployData({ abi, bytecode, args: ["Token", "TKN", 10n ** 24n] }));
  const { contractAddress: address, blockNumber } = await mined(
    client,
    signCall({ account: 0, nonce: 0, chainId, to: undefined, data: creation, gasLimit: CREATION_GAS }),
  );
  const data = fromHex(
    encodeFunctionData({ abi, functionName: "transfer", args: [ACCOUNTS[1]?.address, 1n] }),
  );
  const transfer = (nonce: number) =>
    signCall({ account: 0, nonce, chainId, to: address, data, gasLimit: TRANSFER_GAS });
  let last = blockNumber;
  for (let nonce = 1; nonce <= TRANSFERS; nonce++) {
    if (nonce < TRANSFERS) await client.call("eth_sendRawTransaction", [transfer(nonce)]);
    else last = (await mined(client, transfer(nonce))).blockNumber;
  }
  const call = encodeFunctionData({ abi, functionName: "balanceOf", args: [address] });
  const selector = call.slice(0, SELECTOR_CHARACTERS);
  return {
    balanceOf: (index) => [
      { to: address, data: selector + (index + 1).toString(16).padStart(64, "0") },
      "latest",
    ],
    logs: [{ address, fromBlock: blockNumber, toBlock: last }],
    transfer,
    nextNonce: TRANSFERS + 1,
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
