/** specs/consensus/fork-choice.md#differential-tests: the flat arrays choose as the naive rule does. */
import { deepEqual, equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { onBlock, onEquivocation, onTick, onVote } from "../../consensus/fork-choice.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { createForkChoice, type ForkChoiceStore } from "../../consensus/fork-choice-store.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { addProtoBlock, slotAt } from "../../consensus/proto-array.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";
import { block, paramsWith } from "./block-trees.ts";
import { type NaiveBlock, naiveHead } from "./naive-ghost.ts";

type Tree = {
  /** Parent index of block i + 1; below i + 1. Block 0 is the anchor. */
  readonly parents: readonly number[];
  readonly gaps: readonly number[];
  readonly isJustifying: readonly boolean[];
  readonly votes: readonly { readonly block: number; readonly age: number }[];
  readonly balances: readonly number[];
  readonly equivocators: readonly number[];
  readonly boost: number;
  readonly slotsPerEpoch: number;
  readonly nowAfter: number;
  readonly adoptionSlots: number;
};

/** Roots in an order unlike that of insertion, so that ties are settled by them and not by chance. */
function rootOf(index: number): Hash {
  return `0x${((index * 2_654_435_761) >>> 0).toString(16).padStart(8, "0").padEnd(64, "0")}`;
}

/** Builds the tree in both forms and compares the heads, before and after a slot without messages. */
function compareHeads(tree: Tree): void {
  const params = paramsWith({ lmdExpirySlots: 6, adoptionSlots: tree.adoptionSlots }, tree.slotsPerEpoch);
  const blocks: NaiveBlock[] = [{ root: rootOf(0), parent: undefined, slot: 0, justifiedEpoch: 0 }];
  for (const [i, parentIndex] of tree.parents.entries()) {
    const parent = blocks[parentIndex]!;
    const slot = parent.slot + tree.gaps[i]!;
    // A block may justify the newest epoch before its own.
    const newest = Math.max(0, Math.floor(slot / tree.slotsPerEpoch) - 1);
    const justifiedEpoch = tree.isJustifying[i] === true ? newest : parent.justifiedEpoch;
    blocks.push({
      root: rootOf(i + 1),
      parent: parent.root,
      slot,
      justifiedEpoch: Math.max(justifiedEpoch, parent.justifiedEpoch),
    });
  }
  const lastSlot = Math.max(...blocks.map(({ slot }) => slot));
  const nowSlot = lastSlot + tree.nowAfter;

  const balances = Uint16Array.from(tree.balances);
  const store = createForkChoice(params, { root: rootOf(0), slot: 0, epoch: 0, balances }, 0);
  let justifiedAtSlot = 0;
  for (const { root, parent, slot, justifiedEpoch } of blocks.slice(1)) {
    onTick(store, Math.max(slot, store.nowSlot));
    const justified = {
      epoch: justifiedEpoch,
      root: checkpoint(blocks, root, justifiedEpoch, tree.slotsPerEpoch),
    };
    if (justifiedEpoch > store.justified.epoch) justifiedAtSlot = store.nowSlot;
    onBlock(store, {
      ...block("x0", "x0"),
      ...{ root: root as Hash, parentRoot: parent as Hash, slot, justified, balancesAt: () => balances },
      finalized: { epoch: 0, root: rootOf(0) },
    });
  }
  onTick(store, nowSlot);
  const votes = tree.votes.map(({ block: voted, age }) => {
    const head = blocks[voted % blocks.length]!;
    return { slot: Math.max(head.slot, nowSlot - 1 - age), head: head.root };
  });
  const counted = votes.map((vote) => (vote.slot < nowSlot ? vote : { slot: -1, head: vote.head }));
  for (const [voter, { slot, head }] of votes.entries()) {
    onVote(store, { slot, headRoot: head as Hash, validatorIndices: [voter] });
  }
  onEquivocation(store, tree.equivocators);
  store.boostRoot = tree.boost < blocks.length ? (blocks[tree.boost]!.root as Hash) : undefined;

  const view = {
    ...{ params, nowSlot, blocks, votes: counted, justifiedAtSlot },
    justified: store.justified,
    balances: tree.balances.slice(0, tree.votes.length),
    equivocators: tree.equivocators,
    boost: store.boostRoot,
  };
  // Without a vote a validator's stake still counts in the total.
  const silent = tree.balances.slice(tree.votes.length);
  const whole = {
    ...view,
    balances: tree.balances,
    votes: [...counted, ...silent.map(() => ({ slot: -1, head: rootOf(0) }))],
  };
  equal(getHead(store), naiveHead(whole));
  onTick(store, nowSlot + 1);
  const next = {
    ...whole,
    nowSlot: nowSlot + 1,
    boost: undefined,
    votes: [...votes, ...silent.map(() => ({ slot: -1, head: rootOf(0) }))],
  };
  equal(getHead(store), naiveHead(next));
}

function checkpoint(blocks: readonly NaiveBlock[], tip: string, epoch: number, slotsPerEpoch: number): Hash {
  const slot = Math.max(0, epoch * slotsPerEpoch - DEVNET_PARAMS.targetLagSlots);
  let at = blocks.find(({ root }) => root === tip)!;
  while (at.slot > slot) at = blocks.find(({ root }) => root === at.parent)!;
  return at.root as Hash;
}

const arbitraryTree: fc.Arbitrary<Tree> = fc.integer({ min: 1, max: 24 }).chain((size) =>
  fc.record({
    parents: fc.tuple(...Array.from({ length: size }, (_, i) => fc.nat({ max: i }))),
    gaps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: size, maxLength: size }),
    isJustifying: fc.array(
      fc.nat({ max: 4 }).map((n) => n === 0),
      { minLength: size, maxLength: size },
    ),
    votes: fc.array(fc.record({ block: fc.nat({ max: size }), age: fc.nat({ max: 12 }) }), { maxLength: 10 }),
    balances: fc.array(fc.integer({ min: 0, max: 2048 }), { minLength: 10, maxLength: 14 }),
    equivocators: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }),
    boost: fc.nat({ max: 2 * size }),
    slotsPerEpoch: fc.constantFrom(1, 2, 4),
    nowAfter: fc.nat({ max: 4 }),
    adoptionSlots: fc.constantFrom(0, 2, 16),
  }),
);

describe("fork choice: flat arrays against the naive rule", () => {
  it("agree on generated trees, votes, boosts, equivocators and proofs", function () {
    this.timeout(20_000);
    fc.assert(fc.property(arbitraryTree, compareHeads), { numRuns: 1500 });
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
