/** A contract to deploy: built from its TypeScript, or read from an artifact file in Hardhat's shape. */
import { existsSync } from "node:fs";
import type { Abi, Hex } from "viem";
import { z } from "zod";
import { readText } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

export type DeployableArtifact = {
  readonly contractName: string;
  readonly abi: Abi;
  readonly bytecode: Hex;
  /** Both are in artifacts of `build`, and in no others. */
  readonly sourceMap?: string;
  readonly sourceName?: string;
};

const AbiItems = z.array(z.looseObject({ type: z.string() }));

const Artifact = z.object({
  contractName: z.string(),
  abi: AbiItems,
  bytecode: z.string().regex(/^0x([0-9a-fA-F]{2})+$/),
  sourceMap: z.string().optional(),
  sourceName: z.string().optional(),
});

/** @throws WalletError when the file is missing, does not build, or is no artifact. */
export async function loadArtifact(file: string): Promise<DeployableArtifact> {
  if (!existsSync(file)) throw new WalletError("usage", `${file} does not exist`);
  if (file.endsWith(".ts")) return build(file);
  const parsed = Artifact.safeParse(readJson(file));
  if (!parsed.success)
    throw new WalletError("usage", `${file} is no contract artifact: it needs contractName, abi, bytecode`);
  return parsed.data as unknown as DeployableArtifact;
}

/** The ABI of a contract's source, an artifact, or a file that holds nothing but an ABI. @throws WalletError */
export async function loadAbi(file: string): Promise<Abi> {
  if (file.endsWith(".ts")) return (await loadArtifact(file)).abi;
  const value = readJson(file);
  const parsed = AbiItems.safeParse(Array.isArray(value) ? value : (value as { abi?: unknown } | null)?.abi);
  if (parsed.success) return parsed.data as unknown as Abi;
  throw new WalletError("usage", `${file} has no ABI: give an artifact, a JSON ABI or a contract's source`);
}

function readJson(file: string): unknown {
  const text = readText(file, "the artifact", "usage");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WalletError("usage", `${file} is neither TypeScript nor JSON`, { cause });
  }
}

async function build(file: string): Promise<DeployableArtifact> {
  // Loaded on use: the bundler and the contract engine are for those who build.
  const { buildContract } = await import("../contracts/build/build-contract.ts");
  try {
    return (await buildContract(file)) as unknown as DeployableArtifact;
  } catch (cause) {
    throw new WalletError(
      "failure",
      `${file} does not build:\n${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
