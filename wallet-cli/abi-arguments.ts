/** Functions and their arguments as they are typed on a command line. */
import type { AbiEvent, AbiFunction, AbiParameter } from "viem";
import { parseAbiItem } from "viem/utils";
import { fromHex } from "../primitives/bytes.ts";
import { resolveAddress } from "./account-names.ts";
import { parseTypedList } from "./argument-list.ts";
import { WalletError } from "./wallet-error.ts";

/**
 * Reads `transfer(address,uint256)`, `balanceOf(address)(uint256)` (as cast writes it) or
 * `balanceOf(address) view returns (uint256)`.
 * @throws WalletError (usage)
 */
export function parseFunction(signature: string): AbiFunction {
  const castStyle = /^(\w+\s*\(.*?\))\s*(\(.*\))$/.exec(signature.trim());
  const [, call = signature, returns] = castStyle ?? [];
  const text = `function ${call}${returns === undefined ? "" : ` returns ${returns}`}`;
  try {
    return parseAbiItem(text as "function f()") as AbiFunction;
  } catch (cause) {
    throw new WalletError("usage", `"${signature}" is no function: write it as transfer(address,uint256)`, {
      cause,
    });
  }
}

/** Arguments as viem wants them. @throws WalletError (usage) naming the argument that does not fit. */
export async function parseArguments(
  inputs: readonly AbiParameter[],
  texts: readonly string[],
  keystore: string,
): Promise<readonly unknown[]> {
  if (inputs.length !== texts.length) {
    const expected = inputs.map(({ type, name }) => `${type} ${name ?? ""}`.trim()).join(", ") || "none";
    throw new WalletError("usage", `expected ${inputs.length} arguments (${expected}), got ${texts.length}`);
  }
  return Promise.all(inputs.map((input, index) => parseArgument(input, index, texts[index] ?? "", keystore)));
}

async function parseArgument(
  input: AbiParameter,
  index: number,
  text: string,
  keystore: string,
): Promise<unknown> {
  try {
    return await parseValue(input, text, keystore);
  } catch (cause) {
    if (cause instanceof WalletError && cause.kind !== "usage") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const name = [input.type, input.name].filter(Boolean).join(" ");
    throw new WalletError("usage", `argument ${index + 1} (${name}): ${reason}`, { cause });
  }
}

type Tuple = AbiParameter & { readonly components: readonly AbiParameter[] };

/** Arrays and tuples are typed lists, which may come as JSON from elsewhere. */
async function parseValue(parameter: AbiParameter, value: unknown, keystore: string): Promise<unknown> {
  const { type } = parameter;
  if (type.endsWith("]")) {
    const member = { ...parameter, type: type.slice(0, type.lastIndexOf("[")) };
    const length = /\[(\d+)\]$/.exec(type)?.[1];
    const items = listOf(value, length === undefined ? undefined : Number(length));
    return Promise.all(items.map((item) => parseValue(member, item, keystore)));
  }
  if (type === "tuple") {
    const { components } = parameter as Tuple;
    const items = listOf(value, components.length);
    const members = await Promise.all(
      components.map((component, index) => parseValue(component, items[index], keystore)),
    );
    const isNamed = components.every(({ name }) => name !== undefined && name !== "");
    return isNamed
      ? Object.fromEntries(components.map(({ name }, index) => [name, members[index]]))
      : members;
  }
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (type === "string") return text;
  if (type === "address") return resolveAddress(text, keystore);
  if (type === "bool") return parseBool(text);
  if (type.startsWith("bytes")) return parseBytes(text, type);
  return parseInteger(text, type);
}

/** The range is checked here, where the argument can be named. */
function parseInteger(text: string, type: string): bigint {
  const match = /^(u?)int(\d*)$/.exec(type);
  if (match === null) throw new WalletError("usage", `values of type ${type} are not understood`);
  if (!/^-?\d+$|^0x[0-9a-fA-F]+$/.test(text))
    throw new WalletError("usage", `expected a whole number, got "${text}"`);
  const value = BigInt(text);
  const bits = BigInt(match[2] || 256);
  const [low, high] = match[1] === "u" ? [0n, 1n << bits] : [-(1n << (bits - 1n)), 1n << (bits - 1n)];
  if (value >= low && value < high) return value;
  throw new WalletError("usage", `${text} does not fit ${type}`);
}

function listOf(value: unknown, length: number | undefined): readonly unknown[] {
  const list = typeof value === "string" ? parseTypedList(value) : value;
  if (!Array.isArray(list)) throw new WalletError("usage", 'expected a list as [1,2], ["a","b"] or (1,true)');
  if (length === undefined || list.length === length) return list;
  throw new WalletError("usage", `expected ${length} members, got ${list.length}`);
}

function parseBool(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new WalletError("usage", `expected true or false, got "${text}"`);
}

function parseBytes(text: string, type: string): string {
  const bytes = fromHex(text);
  const length = Number(type.slice("bytes".length) || bytes.length);
  if (bytes.length === length) return text;
  throw new WalletError("usage", `expected ${length} bytes, got ${bytes.length}`);
}

/** Reads `Transfer(address indexed from, address indexed to, uint256 value)`. @throws WalletError (usage) */
export function parseEvent(signature: string): AbiEvent {
  try {
    return parseAbiItem(`event ${signature.replace(/^event\s+/, "")}` as "event E()") as AbiEvent;
  } catch (cause) {
    throw new WalletError(
      "usage",
      `"${signature}" is no event: write it as Transfer(address indexed from, address indexed to, uint256 value)`,
      { cause },
    );
  }
}
