/** What a new chain says one can do first: see that it fits the folder it is said in. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** In this repository and in nobody else's folder. */
const EXAMPLE = "contracts/examples/token.ts";

/** @returns a command that works in `directory` as it is. `rpcUrl` is left out where it is the one clients ask by default. */
export function nextStep(directory: string, rpcUrl?: string): string {
  if (!existsSync(join(directory, EXAMPLE))) return "npx jurat-wallet init my-contract";
  const url = rpcUrl === undefined ? "" : ` --rpc-url ${rpcUrl}`;
  return `npx jurat-wallet deploy ${EXAMPLE} --args "Token" TKN 1000000 --from dev:0${url}`;
}
