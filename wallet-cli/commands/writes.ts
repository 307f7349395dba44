/** send, deploy: what changes the chain. */
import type { Command } from "commander";
import { type Abi, type AbiFunction, encodeDeployData, encodeFunctionData, type Hex } from "viem";
import { toChecksumAddress } from "../../primitives/address.ts";
import { parseAmount, parseArguments, parseFunction } from "../abi-arguments.ts";
import { loadArtifact } from "../contract-artifact.ts";
import { connect } from "../node-client.ts";
import { type WriteFlags, withWrite } from "../options.ts";
import { formatValue, printResult } from "../output.ts";
import { openSigner, resolveAddress } from "../signer.ts";
import { write } from "../transaction.ts";

export function addWriteCommands(program: Command): void {
  withWrite(program.command("send"))
    .alias("send-call")
    .description("send value, or call a function of a contract in a transaction")
    .argument("<to>", "address, dev:N or keystore name")
    .argument("[function]", 'as "transfer(address,uint256)"')
    .argument("[arguments...]", "arrays and tuples as JSON")
    .option("--value <amount>", "1.5jur, 3gwei, or a number of wei", "0")
    .addHelpText(
      "after",
      `
Examples:
  $ jurat-wallet send dev:1 --value 1.5jur --from dev:0
  $ jurat-wallet send 0x5FbD…0aa3 "transfer(address,uint256)" dev:1 100 --from dev:0 --confirmations finalized`,
    )
    .action(send);

  withWrite(program.command("deploy"))
    .description("build and deploy a TypeScript contract, or deploy a built artifact")
    .argument("<file>", "contract.ts or artifact.json")
    .option("--args <values...>", "constructor arguments; arrays and tuples as JSON", [])
    .option("--value <amount>", "what the constructor receives", "0")
    .addHelpText(
      "after",
      `
Example:
  $ jurat-wallet deploy contracts/examples/token.ts --args "Token" TKN 1000000 --from dev:0`,
    )
    .action(deploy);
}

type SendFlags = WriteFlags & { readonly value: string };

async function send(
  to: string,
  signature: string | undefined,
  texts: string[],
  flags: SendFlags,
): Promise<void> {
  const item = signature === undefined ? undefined : parseFunction(signature);
  const args = item === undefined ? [] : parseArguments(item.inputs, texts, flags.keystore);
  const abi: Abi = item === undefined ? [] : [item];
  const data: Hex = item === undefined ? "0x" : encodeFunctionData({ abi, args });
  const title = item === undefined ? "send value" : describeCall(item, args);
  const target = resolveAddress(to, flags.keystore);
  const client = await connect(flags.rpcUrl);
  const signer = await openSigner(flags.from, flags);
  const { hash, receipt } = await write(
    client,
    signer,
    { title, to: target, value: parseAmount(flags.value), data, abi },
    flags,
  );
  printResult(flags.json, { hash, receipt }, [hash]);
}

type DeployFlags = SendFlags & { readonly args: readonly string[] };

async function deploy(file: string, flags: DeployFlags): Promise<void> {
  const { contractName, abi, bytecode } = await loadArtifact(file);
  const creation = abi.find((item) => item.type === "constructor");
  const inputs = creation?.type === "constructor" ? creation.inputs : [];
  const args = parseArguments(inputs, flags.args, flags.keystore);
  const data = encodeDeployData({ abi, bytecode, args });
  const title = `deploy ${contractName}(${inputs.map(({ name }, index) => `${name} ${formatValue(args[index])}`).join(", ")}), ${(bytecode.length - 2) / 2} bytes`;
  const client = await connect(flags.rpcUrl);
  const signer = await openSigner(flags.from, flags);
  const intent = { title, to: undefined, value: parseAmount(flags.value), data, abi };
  const { hash, receipt } = await write(client, signer, intent, flags);
  const address = receipt?.contractAddress ? toChecksumAddress(receipt.contractAddress) : undefined;
  printResult(flags.json, { hash, address, receipt }, [address ?? hash]);
}

function describeCall({ name, inputs }: AbiFunction, args: readonly unknown[]): string {
  const parts = inputs.map((input, index) => `${input.name ?? input.type} ${formatValue(args[index])}`);
  return `${name}(${parts.join(", ")})`;
}
