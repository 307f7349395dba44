/** Random block trees: the head of the flat arrays is the naive rule's. Not a network. See specs/simulation/scenarios.md#tree-search. */
import { AssertionError } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { ChainParams } from "../../consensus/params.ts";
import { ALL_RULES } from "../../consensus/rules.ts";
import { arbitraryTree, compareHeads } from "../consensus/generated-trees.ts";
import type { Size } from "./plan.ts";
import type { Run } from "./simulation.ts";
import type { Switch } from "./simulator-params.ts";
import { must } from "./violation.ts";

/** Compares `slots` trees, 300 when left out. @throws Violation 5 */
export function searchTrees(seed: number, { slots: trees = 300 }: Size, mutation: Switch): Run {
  const rules = mutation.off === undefined ? ALL_RULES : { ...ALL_RULES, [mutation.off]: false };
  const changes = { ...mutation.params, rules } as Partial<ChainParams>;
  const digest = createHash("sha256");
  for (const tree of fc.sample(arbitraryTree, { seed, numRuns: trees })) {
    digest.update(JSON.stringify(tree));
    must(haveSameHead(tree, changes), 5, "the flat arrays choose a head the naive rule does not");
  }
  return {
    ...{
      scenario: "tree-search",
      seed,
      hash: digest.digest("hex"),
      finalitySlots: [],
      slots: [],
      blocks: trees,
    },
    ...{ orphans: 0, honestOrphans: [], chain: [], checks: 2 * trees, slashed: [], slashableVoters: [] },
    ...{ hasConflict: false, honest: 0, faulted: 0, parts: [], checkInputOrder: () => undefined },
    finding: `${trees} trees, the same head in each`,
  };
}

function haveSameHead(tree: Parameters<typeof compareHeads>[0], changes: Partial<ChainParams>): boolean {
  try {
    compareHeads(tree, changes);
    return true;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    throw error;
  }
}
