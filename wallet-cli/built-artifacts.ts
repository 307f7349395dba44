/** What `build`, or Hardhat, wrote into ./artifacts: it tells what errors and events of unknown contracts mean. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Abi } from "viem";
import { loadAbi } from "./contract-artifact.ts";
import { WalletError } from "./wallet-error.ts";

const ARTIFACTS = "artifacts";
/** Files that are looked at; a large project has some hundreds. */
const FILES_LIMIT = 2048;

/** The ABIs in any folder below this one; files without one, such as build infos, are passed over. */
export async function builtAbis(directory: string): Promise<readonly Abi[]> {
  const files = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: "utf8" }) : [];
  const found = files.filter((name) => name.endsWith(".json") && !name.startsWith("build-info"));
  const abis = await Promise.all(
    found.slice(0, FILES_LIMIT).map((name) => loadAbi(join(directory, name)).catch(() => [])),
  );
  return abis.filter((abi) => abi.length > 0);
}

/** @throws WalletError when nothing is there. */
export async function requireBuiltAbis(): Promise<readonly Abi[]> {
  const abis = await builtAbis(ARTIFACTS);
  if (abis.length > 0) return abis;
  throw new WalletError("usage", `there is nothing in ./${ARTIFACTS}: name the contracts with --abi`);
}

let ofThisFolder: Promise<Abi> | undefined;

/** Errors and events of everything built here, read once: each line of a batch asks for them. */
export function knownErrorsAndEvents(): Promise<Abi> {
  ofThisFolder ??= builtErrorsAndEvents(ARTIFACTS);
  return ofThisFolder;
}

/** Errors and events of everything in a folder: a selector or topic says which it is, whoever gave it. */
export async function builtErrorsAndEvents(directory: string): Promise<Abi> {
  return (await builtAbis(directory)).flat().filter(({ type }) => type === "error" || type === "event");
}
