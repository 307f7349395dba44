/** The ABI decoder that solc compiles for a list of types, run in an Ethereum machine. specs/vm/contract/abi.md#strict-decoding */
import { createEVM } from "@ethereumjs/evm";
import { toFunctionSelector } from "viem";
import { bytesToBigInt, concatBytes, fromHex, type Hex, toHex } from "../../../primitives/bytes.ts";
import { type AbiParameter, type AbiType, canonicalTypes } from "../../../vm/contract/abi-type.ts";
import { compileSolidity } from "../../support/solidity.ts";

const GAS_LIMIT = 30_000_000n;

/** Decodes `data` as the list of types number `index`, and gives the encoding of the values; undefined when it reverts. */
export type SolidityDecoder = (index: number, data: Uint8Array) => Promise<Hex | undefined>;

/** One contract, whose function number i takes the i-th list into memory and returns it encoded. */
export async function compileSolidityCodec(
  lists: readonly (readonly AbiParameter[])[],
): Promise<SolidityDecoder> {
  const structs: string[] = [];
  const functions = lists.map((parameters, i) => {
    const taken = parameters.map(({ type }, n) => `${solidityType(type, structs)}${location(type)} p${n}`);
    const values = parameters.map((_, n) => `p${n}`);
    return `function f${i}(${taken.join(", ")}) public pure returns (bytes memory) { return abi.encode(${values.join(", ")}); }`;
  });
  const source = `contract Codec { ${structs.join(" ")} ${functions.join("\n")} }`;
  const { bytecode } = compileSolidity(source)["Codec"] ?? {};
  if (bytecode === undefined) throw new Error("solc compiled no Codec");
  const evm = await createEVM({ allowUnlimitedContractSize: true, allowUnlimitedInitCodeSize: true });
  const { createdAddress: to } = await evm.runCall({ data: fromHex(bytecode), gasLimit: GAS_LIMIT });
  if (to === undefined) throw new Error("the codec was not created");
  const selectors = lists.map((parameters, i) =>
    fromHex(toFunctionSelector(`f${i}${canonicalTypes(parameters)}`)),
  );
  return async (index, data) => {
    const message = concatBytes(selectors[index]!, data);
    const { execResult } = await evm.runCall({ to, data: message, gasLimit: GAS_LIMIT });
    if (execResult.exceptionError !== undefined) return undefined;
    const { returnValue } = execResult;
    const length = Number(bytesToBigInt(returnValue.subarray(32, 64)));
    return toHex(returnValue.subarray(64, 64 + length));
  };
}

function location({ kind }: AbiType): string {
  return kind === "bytes" || kind === "string" || kind === "array" || kind === "tuple" ? " memory" : "";
}

/** Adds to `structs` what the type needs. */
function solidityType(type: AbiType, structs: string[]): string {
  switch (type.kind) {
    case "uint":
    case "int":
      return `${type.kind}${type.bits}`;
    case "fixedBytes":
      return `bytes${type.size}`;
    case "array":
      return `${solidityType(type.element, structs)}[${type.length ?? ""}]`;
    case "tuple": {
      const members = type.members.map((member, n) => `${solidityType(member.type, structs)} m${n};`);
      const name = `S${structs.length}`;
      structs.push(`struct ${name} { ${members.join(" ")} }`);
      return name;
    }
    default:
      return type.kind;
  }
}
