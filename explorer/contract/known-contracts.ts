/** What contracts say of themselves, asked once each; behind a proxy, what its implementation says. */
import type { Abi } from "viem";
import type { StorageLayout } from "../../vm/contract/storage-json.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";

export type KnownContract = {
  readonly address: Hex;
  readonly name: string;
  readonly source: string;
  readonly isUpgradeable: boolean;
  /** Its own and, behind a proxy, its implementation's. */
  readonly abi: Abi;
  readonly storageLayout: StorageLayout;
  readonly implementation: KnownContract | undefined;
};

type Description = Omit<KnownContract, "address" | "implementation">;

/** bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1) (ERC-1967). */
const IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
const NO_IMPLEMENTATION = /^0x0*$/;
/** Contracts remembered; the oldest is asked for again. */
const REMEMBERED_LIMIT = 200;

const remembered = new Map<Hex, Promise<KnownContract | undefined>>();

/** Undefined for an account without a contract. */
export function contractAt(address: Hex): Promise<KnownContract | undefined> {
  const key = address.toLowerCase() as Hex;
  let known = remembered.get(key);
  if (known === undefined) {
    known = describe(key);
    remembered.set(key, known);
    // A contract may appear later, or the node may have been away.
    known.then(
      (contract) => contract === undefined && remembered.delete(key),
      () => remembered.delete(key),
    );
    for (const oldest of remembered.keys()) {
      if (remembered.size <= REMEMBERED_LIMIT) break;
      remembered.delete(oldest);
    }
  }
  return known;
}

async function describe(address: Hex, isImplementation = false): Promise<KnownContract | undefined> {
  const described = await ask<Description | null>("jurat_getContract", address, "latest");
  if (described === null) return undefined;
  if (isImplementation) return { ...described, address, implementation: undefined };
  const word = await ask<Hex>("eth_getStorageAt", address, IMPLEMENTATION_SLOT, "latest");
  const target = NO_IMPLEMENTATION.test(word) ? undefined : (`0x${word.slice(-40)}` as Hex);
  const implementation = target === undefined ? undefined : await describe(target, true);
  return { ...described, address, implementation, abi: [...described.abi, ...(implementation?.abi ?? [])] };
}
