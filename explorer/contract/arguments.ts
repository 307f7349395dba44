/** From what a person types to what the ABI encoder takes, and what was wrong where it does not fit. */
import type { AbiParameter } from "viem";

/** What was typed does not fit the parameter; the message says what is expected. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

/** Lists and tuples are typed as JSON; everything else as it is. @throws ArgumentError */
export function readArgument(parameter: AbiParameter, text: string): unknown {
  const { type } = parameter;
  if (type.endsWith("]") || type.startsWith("tuple")) return fromJson(parameter, parseJson(parameter, text));
  return fromText(type, text.trim());
}

function parseJson({ type }: AbiParameter, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ArgumentError(`${type}: expected JSON, such as ["1", "2"]`);
  }
}

function fromJson(parameter: AbiParameter, json: unknown): unknown {
  const { type } = parameter;
  const element = /^(.*)\[\d*\]$/.exec(type)?.[1];
  if (element !== undefined) {
    if (!Array.isArray(json)) throw new ArgumentError(`${type}: expected a list in brackets`);
    return json.map((item) => fromJson({ ...parameter, type: element } as AbiParameter, item));
  }
  if (type === "tuple") {
    const components = "components" in parameter ? parameter.components : [];
    if (typeof json !== "object" || json === null) throw new ArgumentError("tuple: expected an object");
    const members = json as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      components.map((component) => [component.name, fromJson(component, members[component.name ?? ""])]),
    );
  }
  return fromText(type, String(json));
}

function fromText(type: string, text: string): unknown {
  if (/^u?int\d*$/.test(type)) {
    if (!/^-?\d+$|^0x[0-9a-fA-F]+$/.test(text)) throw new ArgumentError(`${type}: expected a whole number`);
    return BigInt(text);
  }
  if (type === "bool") {
    if (text !== "true" && text !== "false") throw new ArgumentError("bool: expected true or false");
    return text === "true";
  }
  if (type === "address" && !/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new ArgumentError("address: expected 0x and 40 hex digits");
  }
  if (type.startsWith("bytes") && !/^0x([0-9a-fA-F]{2})*$/.test(text)) {
    throw new ArgumentError(`${type}: expected 0x and pairs of hex digits`);
  }
  return text;
}
