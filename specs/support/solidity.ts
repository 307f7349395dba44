/** Solidity contracts, compiled by solc and run in an Ethereum machine: what ours are compared with. */
import { createEVM } from "@ethereumjs/evm";
import solc from "solc";
import { bytesToBigInt, fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import type { StorageLayout } from "../../vm/contract/storage-json.ts";

export type CompiledSolidity = { readonly bytecode: Hex; readonly storageLayout: StorageLayout };

const GAS_LIMIT = 30_000_000n;

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly storageLayout: StorageLayout;
            readonly evm: { readonly bytecode: { readonly object: string } };
          }
        >
      >
    >
  >;
};

/** The contracts of one source, by name. @throws Error with what solc says. */
export function compileSolidity(
  source: string,
  { optimizes = false }: { readonly optimizes?: boolean } = {},
): Readonly<Record<string, CompiledSolidity>> {
  const input = {
    language: "Solidity",
    sources: {
      "Sample.sol": { content: `// SPDX-License-Identifier: MIT\npragma solidity 0.8.30;\n${source}` },
    },
    settings: {
      optimizer: { enabled: optimizes },
      outputSelection: { "*": { "*": ["storageLayout", "evm.bytecode.object"] } },
    },
  };
  const { errors = [], contracts } = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const fatal = errors.filter(({ severity }) => severity === "error");
  if (fatal.length > 0) throw new Error(fatal.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return Object.fromEntries(
    Object.entries(contracts["Sample.sol"] ?? {}).map(([name, { storageLayout, evm }]) => [
      name,
      { bytecode: `0x${evm.bytecode.object}` as Hex, storageLayout },
    ]),
  );
}

/** Deploys a contract, sends it these messages, and returns every word of its storage that is not zero. */
export async function storageAfter(bytecode: Hex, ...messages: readonly Hex[]): Promise<Map<bigint, bigint>> {
  const evm = await createEVM();
  const send = async (
    data: Hex,
    to?: NonNullable<Awaited<ReturnType<typeof evm.runCall>>["createdAddress"]>,
  ) => {
    const result = await evm.runCall({ data: fromHex(data), gasLimit: GAS_LIMIT, ...(to && { to }) });
    const { exceptionError } = result.execResult;
    if (exceptionError !== undefined)
      throw new Error(`${exceptionError.error} ${toHex(result.execResult.returnValue)}`);
    return result;
  };
  const { createdAddress } = await send(bytecode);
  if (createdAddress === undefined) throw new Error("nothing was created");
  for (const message of messages) await send(message, createdAddress);
  // The machine's default state keeps words in a stack of maps, by address and slot.
  const { storageStack } = evm.stateManager as unknown as {
    storageStack: readonly Map<string, Uint8Array>[];
  };
  const prefix = `${createdAddress.toString()}_`;
  return new Map(
    [...(storageStack.at(-1) ?? [])]
      .filter(([key, word]) => key.startsWith(prefix) && bytesToBigInt(word) !== 0n)
      .map(([key, word]) => [BigInt(key.slice(prefix.length)), bytesToBigInt(word)]),
  );
}
