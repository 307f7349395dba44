/** What a build produces, in the shape of Hardhat's artifacts, which tools read. See specs/contracts/build.md#artifact. */
import type { Hex } from "../../primitives/bytes.ts";
import type { JsonAbiItem } from "../../vm/contract/abi-item.ts";
import type { StorageLayout } from "../../vm/contract/storage-json.ts";

export type Artifact = {
  readonly _format: "hh-sol-artifact-1";
  readonly contractName: string;
  /** Path of the source as it was given, with forward slashes. */
  readonly sourceName: string;
  readonly abi: readonly JsonAbiItem[];
  /** The container: deployment data is this and the ABI-encoded constructor arguments. */
  readonly bytecode: Hex;
  /** The same: what is stored is what was sent. */
  readonly deployedBytecode: Hex;
  readonly linkReferences: Readonly<Record<string, never>>;
  readonly deployedLinkReferences: Readonly<Record<string, never>>;
  readonly storageLayout: StorageLayout;
  /** JSON; its keccak256 is in the container. */
  readonly metadata: string;
  /** From the JavaScript in the container to the source files, source map version 3. */
  readonly sourceMap: string;
};

/** The ABI as a TypeScript module, whose literal types viem and wagmi infer from. */
export function abiModule({ contractName, abi }: Artifact): string {
  const name = contractName[0]?.toLowerCase() + contractName.slice(1);
  return `/** ABI of ${contractName}. Generated; do not edit. */\nexport const ${name}Abi = ${JSON.stringify(abi, null, 2)} as const;\n`;
}
