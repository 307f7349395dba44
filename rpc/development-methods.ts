/** The methods that only a development chain answers, in anvil's and Hardhat's spelling. See specs/rpc/development.md. */
import type { DevelopmentChain } from "./development-chain.ts";
import type { Method } from "./method.ts";
import { SERVED, withReference } from "./method-table.ts";
import { accountMethods } from "./methods/development-accounts.ts";
import { blockMethods } from "./methods/development-blocks.ts";
import { stateMethods } from "./methods/development-state.ts";

/** Every method of a node, and those of `chain`. */
export function developmentMethods(chain: DevelopmentChain): readonly Method[] {
  const own = [...accountMethods(chain), ...blockMethods(chain), ...stateMethods(chain)];
  const names = new Set(own.map(({ name }) => name));
  return withReference([...SERVED.filter(({ name }) => !names.has(name)), ...own]);
}
