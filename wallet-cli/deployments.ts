/** What was deployed where, kept in a file of the working directory. See specs/wallet/wallet.md#deployments. */
import { existsSync } from "node:fs";
import type { Abi } from "viem";
import { parseAddress } from "../primitives/address.ts";
import type { Address, Hash } from "../primitives/bytes.ts";
import type { NodeClient } from "./node-client.ts";
import { toJson } from "./output.ts";
import { readText, replacePrivateFile } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

export type Deployment = {
  readonly contractName: string;
  readonly address: Address;
  readonly chainId: number;
  /** Tells a test network that started anew from the one before it. */
  readonly genesisHash: Hash;
  readonly transactionHash: Hash;
  /** Undefined when it was sent without waiting. */
  readonly blockNumber?: number;
  readonly deployer: Address;
  readonly arguments: readonly string[];
  readonly source: string;
  readonly abi: Abi;
};

/** All deployments of a file, oldest first. @throws WalletError (file) when it is damaged. */
export function readDeployments(file: string): readonly Deployment[] {
  if (!existsSync(file)) return [];
  const text = readText(file, "the deployments");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (Array.isArray(value) && value.every(isDeployment)) return value;
  throw new WalletError("file", `the deployments file ${file} is damaged: it is no list of deployments`);
}

export function recordDeployment(file: string, deployment: Deployment): void {
  replacePrivateFile(file, () => {
    const deployments = [...readDeployments(file), deployment];
    return `${JSON.stringify(JSON.parse(toJson(deployments)), null, 2)}\n`;
  });
}

export async function genesisHashOf(client: NodeClient): Promise<Hash> {
  const block = await client.request<{ readonly hash: Hash } | null>("eth_getBlockByNumber", ["0x0", false]);
  if (block === null) throw new WalletError("failure", "the node does not know its first block");
  return block.hash;
}

/**
 * The newest deployment of this name or address on the client's chain.
 * @throws WalletError (notFound) when the name was deployed, but on another chain.
 */
export async function findDeployment(
  file: string,
  text: string,
  client: NodeClient,
): Promise<Deployment | undefined> {
  const address = parseAddress(text);
  const named = readDeployments(file).filter((deployment) =>
    address === undefined ? deployment.contractName === text : deployment.address === address,
  );
  if (named.length === 0) return undefined;
  const genesisHash = await genesisHashOf(client);
  const found = named.findLast((deployment) => deployment.genesisHash === genesisHash);
  if (found !== undefined || address !== undefined) return found;
  throw new WalletError(
    "notFound",
    `${text} was deployed on another chain (${file}); deploy it on this one, or give the address`,
  );
}

function isDeployment(value: unknown): value is Deployment {
  const { contractName, address, genesisHash, abi } = (value ?? {}) as Partial<
    Record<keyof Deployment, unknown>
  >;
  return (
    typeof contractName === "string" &&
    typeof address === "string" &&
    parseAddress(address) !== undefined &&
    typeof genesisHash === "string" &&
    Array.isArray(abi)
  );
}
