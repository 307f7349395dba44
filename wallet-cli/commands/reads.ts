/** balance, call, receipt: what costs nothing. */
import type { Command } from "commander";
import {
  type BlockTag,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  isHash,
  TransactionReceiptNotFoundError,
} from "viem";
import { parseArguments, parseFunction } from "../abi-arguments.ts";
import { connect } from "../node-client.ts";
import {
  type KeyFlags,
  type NodeFlags,
  type OutputFlags,
  withKeys,
  withNode,
  withOutput,
} from "../options.ts";
import { formatJur, formatValue, printResult } from "../output.ts";
import { resolveAddress } from "../signer.ts";
import { failureReason } from "../transaction.ts";
import { WalletError } from "../wallet-error.ts";

type ReadFlags = KeyFlags & NodeFlags & OutputFlags & { readonly block: string; readonly from?: string };

export function addReadCommands(program: Command): void {
  const reading = (name: string) => withOutput(withNode(withKeys(program.command(name))));

  reading("balance")
    .description("balance of an account")
    .argument("<account>", "address, dev:N or keystore name")
    .option("--block <tag>", "latest, safe, finalized or a number", "latest")
    .action(async (account: string, flags: ReadFlags) => {
      const client = await connect(flags.rpcUrl);
      const address = resolveAddress(account, flags.keystore);
      const wei = await client.getBalance({ address, ...blockOf(flags.block) });
      printResult(flags.json, { address, wei }, [formatJur(wei)]);
    });

  reading("call")
    .description("call a function without a transaction and print what it returns")
    .argument("<contract>", "address")
    .argument("<function>", 'as "balanceOf(address)(uint256)"')
    .argument("[arguments...]", "arrays and tuples as JSON")
    .option("--from <account>", "who calls")
    .option("--block <tag>", "latest, safe, finalized or a number", "latest")
    .addHelpText("after", '\nExample:\n  $ jurat-wallet call 0x5FbD…0aa3 "balanceOf(address)(uint256)" dev:0')
    .action(callFunction);

  reading("receipt")
    .description("receipt of a transaction")
    .argument("<hash>", "transaction hash")
    .action(showReceipt);
}

async function callFunction(
  contract: string,
  signature: string,
  texts: string[],
  flags: ReadFlags,
): Promise<void> {
  const item = parseFunction(signature);
  const args = parseArguments(item.inputs, texts, flags.keystore);
  const client = await connect(flags.rpcUrl);
  const to = resolveAddress(contract, flags.keystore);
  const sender = flags.from === undefined ? {} : { account: resolveAddress(flags.from, flags.keystore) };
  const request = { to, data: encodeFunctionData({ abi: [item], args }), ...sender, ...blockOf(flags.block) };
  const { data = "0x" } = await client.call(request).catch((error: unknown) => {
    throw new WalletError("reverted", `the call failed: ${failureReason(error, [item])}`, { cause: error });
  });
  if (item.outputs.length === 0) {
    printResult(flags.json, data, [data]);
    return;
  }
  if (data === "0x")
    throw new WalletError("failure", `${to} returned nothing: is there a contract at that address?`);
  const result = decodeFunctionResult({ abi: [item], data });
  const values = item.outputs.length === 1 ? [result] : (result as readonly unknown[]);
  printResult(flags.json, item.outputs.length === 1 ? result : values, values.map(formatValue));
}

async function showReceipt(hash: string, flags: ReadFlags): Promise<void> {
  if (!isHash(hash)) throw new WalletError("usage", `${hash} is no transaction hash (32 bytes of hex)`);
  const client = await connect(flags.rpcUrl);
  const receipt = await client.getTransactionReceipt({ hash: hash as Hex }).catch((error: unknown) => {
    if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
    throw new WalletError("failure", `no receipt of ${hash}: it is unknown or still waiting`);
  });
  const lines = [
    `status      ${receipt.status}`,
    `block       ${receipt.blockNumber} ${receipt.blockHash}`,
    `gas used    ${receipt.gasUsed}`,
    `fee         ${formatJur(receipt.gasUsed * receipt.effectiveGasPrice)}`,
    ...(receipt.contractAddress ? [`contract    ${receipt.contractAddress}`] : []),
    `logs        ${receipt.logs.length}`,
  ];
  printResult(flags.json, receipt, lines);
}

function blockOf(text: string): { blockTag: BlockTag } | { blockNumber: bigint } {
  if (/^\d+$/.test(text)) return { blockNumber: BigInt(text) };
  if (["latest", "safe", "finalized", "earliest", "pending"].includes(text))
    return { blockTag: text as BlockTag };
  throw new WalletError(
    "usage",
    `"${text}" is no block: latest, safe, finalized, earliest, pending or a number`,
  );
}
