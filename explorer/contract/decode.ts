/** Call data, logs and revert data in the words of a contract's ABI. What does not decode is shown as it is. */
import {
  type Abi,
  type AbiParameter,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionData,
  erc20Abi,
} from "viem";
import type { Hex, LogJson } from "../node/objects.ts";

export type NamedValue = { readonly name: string; readonly type: string; readonly value: string };
export type Decoded = { readonly name: string; readonly values: readonly NamedValue[] };

export function decodeCall(abi: Abi, input: Hex): Decoded | undefined {
  return attempt(() => {
    const { functionName, args = [] } = decodeFunctionData({ abi, data: input });
    const item = abi.find(
      (entry) =>
        entry.type === "function" && entry.name === functionName && entry.inputs.length === args.length,
    );
    return { name: functionName, values: nameValues(inputsOf(item), args) };
  });
}

/** Without the contract's own ABI the events of the token standards are still known. */
export function decodeLog(abi: Abi | undefined, { data, topics }: LogJson): Decoded | undefined {
  return attempt(() => {
    const known = [...(abi ?? []), ...erc20Abi] as Abi;
    const event = decodeEventLog({ abi: known, data, topics: [...topics] as [Hex, ...Hex[]], strict: true });
    const item = known.find((entry) => entry.type === "event" && entry.name === event.eventName);
    const args = (event.args ?? {}) as Readonly<Record<string, unknown>> | readonly unknown[];
    const inputs = inputsOf(item);
    const values = inputs.map(({ name }, index) =>
      Array.isArray(args) ? args[index] : (args as Readonly<Record<string, unknown>>)[name ?? ""],
    );
    return { name: event.eventName ?? "event", values: nameValues(inputs, values) };
  });
}

export function decodeRevert(abi: Abi, data: Hex): Decoded | undefined {
  return attempt(() => {
    const { errorName, args = [], abiItem } = decodeErrorResult({ abi, data });
    return { name: errorName, values: nameValues(inputsOf(abiItem), args as readonly unknown[]) };
  });
}

/** A value as a person reads it; integers in full, bytes as hex. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      typeof member === "bigint" ? member.toString() : member,
    ) ?? ""
  );
}

function inputsOf(item: Abi[number] | undefined): readonly AbiParameter[] {
  return item !== undefined && "inputs" in item ? item.inputs : [];
}

function nameValues(inputs: readonly AbiParameter[], values: readonly unknown[]): NamedValue[] {
  return inputs.map(({ name, type }, index) => ({
    name: name === undefined || name === "" ? `${index}` : name,
    type,
    value: valueText(values[index]),
  }));
}

/** viem throws for what does not fit; here that only means "not decoded". */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
