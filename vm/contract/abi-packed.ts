/** Solidity's `abi.encodePacked`: values one after the other at their own size. See specs/vm/contract/abi.md#packed. */
import { concatBytes, fromHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { compileEncoder } from "./abi-encode.ts";
import { AbiError, type AbiParameter, type AbiType, type AbiValue } from "./abi-type.ts";

/**
 * Arrays hold padded words; tuples and arrays of anything longer than a word have no packed form.
 * Different values can pack alike: do not hash two texts that are packed together.
 * @throws AbiError
 */
export function encodePacked(parameters: readonly AbiParameter[], values: readonly AbiValue[]): Uint8Array {
  compileEncoder(parameters)(values); // Checks the values.
  return concatBytes(...parameters.map(({ type }, i) => packValue(type, values[i] as AbiValue)));
}

function packValue(type: AbiType, value: AbiValue): Uint8Array {
  if (type.kind === "string") return utf8ToBytes(value as string);
  if (type.kind === "bytes") return fromHex(value as string);
  if (type.kind === "array") {
    return concatBytes(...(value as readonly AbiValue[]).map((element) => wordOf(type.element, element)));
  }
  const word = wordOf(type, value);
  if (type.kind === "fixedBytes") return word.subarray(0, type.size);
  return word.subarray(32 - sizeOf(type));
}

function sizeOf(type: AbiType): number {
  if (type.kind === "uint" || type.kind === "int") return type.bits / 8;
  return type.kind === "address" ? 20 : 1;
}

function wordOf(type: AbiType, value: AbiValue): Uint8Array {
  const isWord =
    type.kind !== "tuple" && type.kind !== "array" && type.kind !== "bytes" && type.kind !== "string";
  if (!isWord)
    throw new AbiError({ code: "ABI_WRONG_TYPE", expected: "a type with a packed form", actual: type.kind });
  return compileEncoder([{ name: "", type, indexed: false }])([value]);
}
