/** specs/consensus/fork-choice.md#differential-tests: the flat arrays choose as the naive rule does. */
import { deepEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { onVote } from "../../consensus/fork-choice.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { createForkChoice, type ForkChoiceStore } from "../../consensus/fork-choice-store.ts";
import { addProtoBlock, slotAt } from "../../consensus/proto-array.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";
import { paramsWith } from "./block-trees.ts";
import { arbitraryTree, compareHeads, type Tree } from "./generated-trees.ts";

describe("fork choice: flat arrays against the naive rule", () => {
  it("agree on generated trees, votes, boosts, equivocators and proofs", function () {
    this.timeout(20_000);
    fc.assert(
      fc.property(arbitraryTree, (tree) => compareHeads(tree)),
      { numRuns: 1500 },
    );
  });

  it("agree on the block trees and leaf-filter cases of the official compliance suite", function () {
    this.timeout(20_000);
    const folder = vectorsPath(this, "fork-choice", "fork-choice-topologies");
    const counts = { trees: 0, covers: 0 };
    for (const size of ["tiny", "small", "standard"]) {
      for (const file of readdirSync(join(folder, size)).filter((name) => name.startsWith("block_"))) {
        const text = readFileSync(join(folder, size, file), "utf8");
        for (const topology of parse(text, { maxAliasCount: -1 }) as Topology[]) {
          compareHeads(fromTopology(topology, counts.trees + counts.covers));
          counts[file.startsWith("block_tree") ? "trees" : "covers"]++;
        }
      }
    }
    deepEqual(counts, { trees: 5787, covers: 96 });
  });
});

type Topology = {
  readonly block_parents?: readonly number[];
  readonly parents?: readonly number[];
  readonly sm_links?: readonly (readonly [number, number])[];
};

/** The suite gives shapes only: votes, stake and time are drawn from the case's number. */
function fromTopology(topology: Topology, seed: number): Tree {
  let state = seed * 2 + 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const parents = (topology.block_parents ?? topology.parents ?? []).slice(1);
  const targets = new Set((topology.sm_links ?? []).map(([, target]) => target));
  return {
    parents,
    gaps: parents.map(() => 1 + next(2)),
    isJustifying: parents.map((_, i) => targets.has(i + 1)),
    votes: Array.from({ length: 8 }, () => ({ block: next(parents.length + 1), age: next(10) })),
    balances: Array.from({ length: 10 }, () => 32 + next(64)),
    equivocators: next(3) === 0 ? [next(8)] : [],
    boost: next(2 * parents.length + 1),
    slotsPerEpoch: [1, 2, 4][next(3)]!,
    nowAfter: next(4),
    adoptionSlots: [0, 2, 16][next(3)]!,
  };
}

type Operation = {
  readonly op: string;
  readonly justified_checkpoint: { readonly epoch: number; readonly root: Hash };
  readonly justified_state_balances: readonly number[];
  readonly expected_head: Hash;
  readonly slot: number;
  readonly root: Hash;
  readonly parent_root: Hash;
  readonly validator_index: number;
  readonly block_root: Hash;
  readonly target_epoch: number;
};
type Scenario = {
  readonly justified_checkpoint: { readonly epoch: number; readonly root: Hash };
  readonly operations: readonly Operation[];
};

/**
 * Heads as [agreeing, asked]. In `votes` two heads differ: Lighthouse leaves out a branch whose state justified
 * another epoch than the store; this protocol filters leaves only through the valve. The `execution_status`
 * scenarios invalidate payloads inside the tree; here a block enters the tree only with a valid payload.
 */
const LIGHTHOUSE_SCENARIOS = {
  no_votes: [9, 9],
  ffg_case_01: [4, 4],
  ffg_case_02: [16, 16],
  votes: [18, 20],
} as const;

describe("fork choice: Lighthouse's proto-array scenarios", () => {
  for (const [name, expected] of Object.entries(LIGHTHOUSE_SCENARIOS)) {
    it(`${name}: ${expected[0]} of ${expected[1]} heads agree`, function () {
      const path = vectorsPath(this, "fork-choice", "lighthouse-proto-array", `${name}.json`);
      const scenario = readJson<Scenario>(path);
      const store = lighthouseStore(scenario);
      let agreeing = 0;
      let asked = 0;
      for (const operation of scenario.operations) {
        if (operation.op === "ProcessBlock") addBlock(store, operation);
        if (operation.op === "ProcessAttestation") addVote(store, operation);
        if (operation.op !== "FindHead") continue;
        asked++;
        store.balances = Uint16Array.from(operation.justified_state_balances);
        store.totalBalance = store.balances.reduce((a, b) => a + b, 0);
        store.justified = operation.justified_checkpoint;
        if (getHead(store) === operation.expected_head) agreeing++;
      }
      deepEqual([agreeing, asked], expected);
    });
  }
});

/** One block an epoch, votes that never age, and no valve: what the scenarios assume. */
function lighthouseStore(scenario: Scenario): ForkChoiceStore {
  const never = 2 ** 30;
  const params = paramsWith({ lmdExpirySlots: never, adoptionSlots: never, slotsPerHistoricalRoot: never });
  const anchor = {
    root: scenario.justified_checkpoint.root,
    slot: 0,
    epoch: 0,
    balances: new Uint16Array(0),
  };
  return createForkChoice(params, anchor, 1000);
}

/** The scenarios' slots are not meant (some lie before the parent's), and blocks without a parent hang in the air. */
function addBlock({ tree }: ForkChoiceStore, { root, parent_root: parentRoot }: Operation): void {
  const parent = tree.indices.get(parentRoot);
  if (parent === undefined) return;
  addProtoBlock(tree, { root, parentRoot, slot: slotAt(tree, parent) + 1, justifiedEpoch: 0 });
}

function addVote(store: ForkChoiceStore, operation: Operation): void {
  onVote(store, {
    slot: operation.target_epoch,
    headRoot: operation.block_root,
    validatorIndices: [operation.validator_index],
  });
}
