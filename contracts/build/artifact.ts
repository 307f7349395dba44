/** What a build produces, in the shape of Hardhat's artifacts, which tools read. See specs/contracts/build.md#artifact. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/**
 * Writes `Name.json`, which is the artifact, and `Name.abi.ts`, whose literal types viem and wagmi infer from.
 * @returns the paths written.
 */
export function writeArtifact(artifact: Artifact, directory: string): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const base = join(directory, artifact.contractName);
  writeFileSync(`${base}.json`, `${JSON.stringify(artifact, null, 2)}\n`);
  writeFileSync(`${base}.abi.ts`, abiModule(artifact));
  return [`${base}.json`, `${base}.abi.ts`];
}

function abiModule({ contractName, abi }: Artifact): string {
  const name = contractName[0]?.toLowerCase() + contractName.slice(1);
  const literal = JSON.stringify(abi, null, 2);
  return `/** ABI of ${contractName}. Generated; do not edit. */\nexport const ${name}Abi = ${literal} as const;\n`;
}
