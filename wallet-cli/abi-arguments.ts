/** Functions and their arguments as they are typed on a command line. */
import { type AbiFunction, type AbiParameter, parseAbiItem } from "viem";
import { fromHex } from "../primitives/bytes.ts";
import { parseUnits } from "../primitives/units.ts";
import { resolveAddress } from "./signer.ts";
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
export function parseArguments(
  inputs: readonly AbiParameter[],
  texts: readonly string[],
  keystore: string,
): readonly unknown[] {
  if (inputs.length !== texts.length) {
    const expected = inputs.map(({ type, name }) => `${type} ${name ?? ""}`.trim()).join(", ") || "none";
    throw new WalletError("usage", `expected ${inputs.length} arguments (${expected}), got ${texts.length}`);
  }
  return inputs.map((input, index) => {
    const text = texts[index] ?? "";
    try {
      return parseValue(input, text, keystore);
    } catch (cause) {
      if (cause instanceof WalletError && cause.kind !== "usage") throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new WalletError("usage", `argument ${index + 1} (${input.type} ${input.name ?? ""}): ${reason}`, {
        cause,
      });
    }
  });
}

type Tuple = AbiParameter & { readonly components: readonly AbiParameter[] };

/** Arrays and tuples are JSON: `[1,2]`, `["0x…","5"]`. */
function parseValue(parameter: AbiParameter, value: unknown, keystore: string): unknown {
  const { type } = parameter;
  if (type.endsWith("]")) {
    const member = { ...parameter, type: type.slice(0, type.lastIndexOf("[")) };
    return listOf(value).map((item) => parseValue(member, item, keystore));
  }
  if (type === "tuple") {
    const { components } = parameter as Tuple;
    const items = listOf(value);
    const members = components.map((component, index) => parseValue(component, items[index], keystore));
    const isNamed = components.every(({ name }) => name !== undefined && name !== "");
    return isNamed
      ? Object.fromEntries(components.map(({ name }, index) => [name, members[index]]))
      : members;
  }
  const text = String(value);
  if (type === "string") return text;
  if (type === "address") return resolveAddress(text, keystore);
  if (type === "bool") return parseBool(text);
  if (type.startsWith("bytes")) return fromHexText(text);
  return BigInt(text);
}

function listOf(value: unknown): readonly unknown[] {
  const list: unknown = typeof value === "string" ? JSON.parse(value) : value;
  if (!Array.isArray(list)) throw new WalletError("usage", "expected a JSON array");
  return list;
}

function parseBool(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new WalletError("usage", `expected true or false, got "${text}"`);
}

function fromHexText(text: string): string {
  fromHex(text);
  return text;
}

const UNIT_DECIMALS: Readonly<Record<string, number>> = { wei: 0, gwei: 9, ether: 18, jur: 18 };

/** An amount in wei: `1000` is wei as in cast; `1.5jur`, `1ether` and `3gwei` carry their unit. */
export function parseAmount(text: string): bigint {
  const match = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim());
  const decimals = UNIT_DECIMALS[(match?.[2] || "wei").toLowerCase()];
  if (match?.[1] === undefined || decimals === undefined) {
    throw new WalletError("usage", `"${text}" is no amount: write 1.5jur, 3gwei or a number of wei`);
  }
  try {
    return parseUnits(match[1], decimals);
  } catch (cause) {
    throw new WalletError("usage", `"${text}" is no amount: it has more digits than the unit allows`, {
      cause,
    });
  }
}
