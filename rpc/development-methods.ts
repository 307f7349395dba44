/** The methods that only a development chain answers, in anvil's and Hardhat's spelling. See specs/rpc/development.md. */
import type { DevelopmentChain } from "./development-chain.ts";
import type { Method } from "./method.ts";
import { SERVED, withReference } from "./method-table.ts";
import { accountMethods } from "./methods/development-accounts.ts";
import { artifactMethods } from "./methods/development-artifacts.ts";
import { blockMethods } from "./methods/development-blocks.ts";
import { stateMethods } from "./methods/development-state.ts";
import type { SourceMaps } from "./source-maps.ts";

/** Every method of a node, and those of `chain`. */
export function developmentMethods(chain: DevelopmentChain, maps: SourceMaps): readonly Method[] {
  const own = [
    ...accountMethods(chain),
    ...blockMethods(chain),
    ...stateMethods(chain),
    ...artifactMethods(maps),
  ];
  const names = new Set(own.map(({ name }) => name));
  return withReference([...SERVED.filter(({ name }) => !names.has(name)), ...own]);
}
