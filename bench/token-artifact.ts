/** The example token, built once for all benchmarks of a run. */
import { join } from "node:path";
import type { Abi, Hex } from "viem";
import { buildContract } from "../contracts/build/build-contract.ts";
import { PROJECT_ROOT } from "../specs/support/vectors.ts";

let built: Promise<{ readonly abi: Abi; readonly bytecode: Hex }> | undefined;

export function buildToken(): Promise<{ readonly abi: Abi; readonly bytecode: Hex }> {
  built ??= buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts")).then(({ abi, bytecode }) => ({
    abi: abi as Abi,
    bytecode,
  }));
  return built;
}
