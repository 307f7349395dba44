/** Encoding, decoding and looking up by the ABI. */
import type { AbiError } from "abitype";
import type { AbiFunction, Hex } from "viem";
import {
  decodeAbiParameters,
  encodeAbiParameters,
  encodeFunctionData,
  encodePacked,
  toFunctionSelector,
  toFunctionSignature,
} from "viem/utils";
import { parseArguments, parseFunction } from "../abi-arguments.ts";
import { requireBuiltAbis } from "../built-artifacts.ts";
import type { CalldataFlags, DecodeFlags, EncodeFlags, SelectorFlags } from "../commands/coding.ts";
import { loadAbi } from "../contract-artifact.ts";
import { parseData } from "../contract-call.ts";
import type { OutputFlags } from "../options.ts";
import { formatValue, printResult } from "../output.ts";
import { WalletError } from "../wallet-error.ts";

export async function encode(signature: string, texts: readonly string[], flags: EncodeFlags): Promise<void> {
  const { inputs } = parseFunction(signature);
  const values = await parseArguments(inputs, texts, flags.keystore);
  const data = flags.packed ? packed(inputs, values) : encodeAbiParameters(inputs, values);
  printResult(flags.json, data, [data]);
}

function packed(inputs: AbiFunction["inputs"], values: readonly unknown[]): Hex {
  const types = inputs.map(({ type }) => type);
  const tuple = types.find((type) => type.startsWith("tuple"));
  if (tuple !== undefined) throw new WalletError("usage", "a tuple has no packed form");
  return encodePacked(types, values as never);
}

export async function calldata(
  signature: string,
  texts: readonly string[],
  flags: CalldataFlags,
): Promise<void> {
  const item = parseFunction(signature);
  const args = await parseArguments(item.inputs, texts, flags.keystore);
  const data = encodeFunctionData({ abi: [item], args });
  printResult(flags.json, data, [data]);
}

export function decode(signature: string, text: string, flags: DecodeFlags): void {
  const item = parseFunction(signature);
  const parameters = flags.input ? item.inputs : item.outputs;
  if (parameters.length === 0) {
    throw new WalletError(
      "usage",
      `"${signature}" names nothing to decode: write f(inputs)(outputs), or --input`,
    );
  }
  const values = decodeParameters(parameters, parseData(text));
  printResult(flags.json, values, values.map(formatValue));
}

function decodeParameters(parameters: AbiFunction["inputs"], data: Hex): readonly unknown[] {
  try {
    return decodeAbiParameters(parameters, data) as readonly unknown[];
  } catch (cause) {
    const types = parameters.map(({ type }) => type).join(", ");
    throw new WalletError("failure", `the data is no (${types})`, { cause });
  }
}

export function selector(signature: string, flags: OutputFlags): void {
  const found = toFunctionSelector(parseFunction(signature));
  printResult(flags.json, found, [found]);
}

export async function lookUp(text: string, flags: SelectorFlags): Promise<void> {
  if (!/^0x[0-9a-fA-F]{8,}$/.test(text)) {
    throw new WalletError("usage", `"${text}" is no selector (4 bytes of hex)`);
  }
  const wanted = text.slice(0, 10).toLowerCase();
  const abis = flags.abi === undefined ? await requireBuiltAbis() : await Promise.all(flags.abi.map(loadAbi));
  const signatures = abis
    .flat()
    .filter((item): item is AbiFunction | AbiError => item.type === "function" || item.type === "error")
    .map((item) => toFunctionSignature(item as AbiFunction))
    .filter((signature) => toFunctionSelector(signature) === wanted);
  const found = [...new Set(signatures)];
  if (found.length === 0) throw new WalletError("notFound", `none of these contracts has ${wanted}`);
  printResult(flags.json, found, found);
}
