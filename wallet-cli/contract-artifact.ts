/** A contract to deploy: built from its TypeScript, or read from an artifact file in Hardhat's shape. */
import { existsSync, readFileSync } from "node:fs";
import type { Abi, Hex } from "viem";
import { z } from "zod";
import { buildContract } from "../contracts/build/build-contract.ts";
import { WalletError } from "./wallet-error.ts";

export type DeployableArtifact = { readonly contractName: string; readonly abi: Abi; readonly bytecode: Hex };

const Artifact = z.object({
  contractName: z.string(),
  abi: z.array(z.looseObject({ type: z.string() })),
  bytecode: z.string().regex(/^0x([0-9a-fA-F]{2})+$/),
});

/** @throws WalletError when the file is missing, does not build, or is no artifact. */
export async function loadArtifact(file: string): Promise<DeployableArtifact> {
  if (!existsSync(file)) throw new WalletError("usage", `${file} does not exist`);
  if (file.endsWith(".ts")) return (await build(file)) as unknown as DeployableArtifact;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new WalletError("usage", `${file} is neither TypeScript nor JSON`, { cause });
  }
  const parsed = Artifact.safeParse(value);
  if (!parsed.success)
    throw new WalletError("usage", `${file} is no contract artifact: it needs contractName, abi, bytecode`);
  return parsed.data as unknown as DeployableArtifact;
}

async function build(file: string): Promise<unknown> {
  try {
    return await buildContract(file);
  } catch (cause) {
    throw new WalletError(
      "failure",
      `${file} does not build:\n${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
