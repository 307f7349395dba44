/** A call as it is typed: which contract, which function, which arguments. See specs/wallet/wallet.md#calls. */
import type { Abi, AbiFunction, Hex } from "viem";
import { decodeFunctionResult, encodeFunctionData, toFunctionSelector } from "viem/utils";
import { parseAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { parseArguments, parseFunction } from "./abi-arguments.ts";
import { resolveAddress } from "./account-names.ts";
import { knownErrorsAndEvents } from "./built-artifacts.ts";
import { loadAbi } from "./contract-artifact.ts";
import { findDeployment } from "./deployments.ts";
import type { NodeClient } from "./node-client.ts";
import { formatValue } from "./output.ts";
import { WalletError } from "./wallet-error.ts";

export type ContractFlags = {
  readonly keystore: string;
  readonly deployments: string;
  /** File with the contract's ABI. */
  readonly abi?: string;
};

export type Contract = { readonly address: Address; readonly name: string | undefined; readonly abi: Abi };

/**
 * The contract a text names: an address, a contract of the deployments file, or an account.
 * Its ABI comes from --abi, else from the deployments file; else it has the errors and events of what was built here.
 */
export async function resolveContract(
  client: NodeClient,
  text: string,
  flags: ContractFlags,
): Promise<Contract> {
  const deployment = await findDeployment(flags.deployments, text, client);
  const abi =
    flags.abi === undefined ? (deployment?.abi ?? (await knownErrorsAndEvents())) : await loadAbi(flags.abi);
  const address = deployment?.address ?? (await accountAddress(text, flags));
  const name = deployment?.contractName ?? (parseAddress(text) === undefined ? text : undefined);
  return { address, name, abi };
}

/** Whoever names a contract hears also where contracts are looked up. */
async function accountAddress(text: string, { keystore, deployments }: ContractFlags): Promise<Address> {
  try {
    return await resolveAddress(text, keystore);
  } catch (error) {
    if (!(error instanceof WalletError) || error.kind !== "key") throw error;
    const both = `${error.message}; no contract "${text}" in ${deployments}`;
    throw new WalletError("key", both, { cause: error });
  }
}

export type Call = {
  readonly data: Hex;
  /** Undefined when there is nothing but data. */
  readonly item: AbiFunction | undefined;
  readonly args: readonly unknown[];
};

/** Data of a call; without a function it is `data`, or empty. @throws WalletError (usage) */
export async function encodeCall(
  abi: Abi,
  signature: string | undefined,
  texts: readonly string[],
  { keystore, data = "0x" }: { readonly keystore: string; readonly data?: string | undefined },
): Promise<Call> {
  if (signature === undefined) return { data: parseData(data), item: undefined, args: [] };
  if (data !== "0x") throw new WalletError("usage", "give either a function or --data");
  const item = findFunction(abi, signature, texts.length);
  const args = await parseArguments(item.inputs, texts, keystore);
  return { data: encodeFunctionData({ abi: [item], args }), item, args };
}

export function parseData(text: string): Hex {
  if (/^0x([0-9a-fA-F]{2})*$/.test(text)) return text as Hex;
  throw new WalletError("usage", `"${text.slice(0, 80)}" is no hex data (0x and two digits a byte)`);
}

/**
 * The function a text names: by its name when the ABI is known, or by its signature. A signature that does not
 * say what comes back takes it from the ABI.
 * @throws WalletError (usage)
 */
export function findFunction(abi: Abi, text: string, argumentCount?: number): AbiFunction {
  const functions = abi.filter((item) => item.type === "function");
  if (text.includes("(")) {
    const parsed = parseFunction(text);
    const selector = toFunctionSelector(parsed);
    const known = functions.find((item) => toFunctionSelector(item) === selector);
    return parsed.outputs.length === 0 && known !== undefined ? known : parsed;
  }
  const named = functions.filter(({ name }) => name === text);
  const fitting = named.length === 1 ? named : named.filter(({ inputs }) => inputs.length === argumentCount);
  const [item] = fitting;
  if (item !== undefined && fitting.length === 1) return item;
  if (named.length > 0) throw new WalletError("usage", `${text} has several forms: ${signatures(named)}`);
  throw new WalletError(
    "usage",
    functions.length === 0
      ? `"${text}" is no function: write it as transfer(address,uint256), or give --abi`
      : `the contract has no function ${text}; it has ${signatures(functions)}`,
  );
}

function signatures(items: readonly AbiFunction[]): string {
  return items.map(({ name, inputs }) => `${name}(${inputs.map(({ type }) => type).join(",")})`).join(", ");
}

/** `transfer(to 0x…, value 5)`. */
export function describeCall(
  name: string,
  inputs: readonly { readonly name?: string | undefined; readonly type: string }[],
  args: readonly unknown[],
): string {
  const parts = inputs.map((input, index) => `${input.name || input.type} ${formatValue(args[index])}`);
  return `${name}(${parts.join(", ")})`;
}

/** What a function returned, one value per output. @throws WalletError (failure) when the data does not fit. */
export function decodeResult(item: AbiFunction, data: Hex): readonly unknown[] {
  if (item.outputs.length === 0) return [];
  try {
    const result = decodeFunctionResult({ abi: [item], data });
    return item.outputs.length === 1 ? [result] : (result as readonly unknown[]);
  } catch (cause) {
    const types = item.outputs.map(({ type }) => type).join(", ");
    throw new WalletError("failure", `what ${item.name} returned is no (${types}): ${data.slice(0, 138)}`, {
      cause,
    });
  }
}
