/** specs/consensus/fork-choice.md, rule by rule. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { onBlock, onEquivocation, onTick, onVote } from "../../consensus/fork-choice.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { bestSource, checkpointBlock, type ForkChoiceStore } from "../../consensus/fork-choice-store.ts";
import { block, grow, paramsWith, root, storeAtGenesis } from "./block-trees.ts";

function vote(store: ForkChoiceStore, validatorIndex: number, head: string, slot: number): void {
  onVote(store, { slot, headRoot: root(head), validatorIndices: [validatorIndex] });
}

const EIGHT_EQUAL = Array.from({ length: 8 }, () => 32);

describe("fork choice: get_head", () => {
  it("is the justified block when nothing was built on it", () => {
    equal(getHead(storeAtGenesis(EIGHT_EQUAL)), root("a0"));
  });

  it("follows stake, not length", () => {
    // a0 - b1 - c2 - d3   (3 voters)
    //    \ e1             (4 voters)
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 5);
    grow(store, ["b1 a0", "c2 b1", "d3 c2", "e1 a0"]);
    for (const voter of [0, 1, 2]) vote(store, voter, "d3", 3);
    for (const voter of [3, 4, 5, 6]) vote(store, voter, "e1", 3);
    equal(getHead(store), root("e1"));
  });

  it("counts a vote for a block toward its ancestors", () => {
    // a0 - b1 - c2   (2)
    //    |    \ d2   (1)
    //    \ e1        (2)
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 5);
    grow(store, ["b1 a0", "c2 b1", "d2 b1", "e1 a0"]);
    for (const voter of [0, 1]) vote(store, voter, "c2", 3);
    vote(store, 2, "d2", 3);
    for (const voter of [3, 4]) vote(store, voter, "e1", 3);
    equal(getHead(store), root("c2"));
  });

  it("breaks a tie by the higher root", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 5);
    grow(store, ["c1 a0", "b1 a0"]);
    vote(store, 0, "b1", 3);
    vote(store, 1, "c1", 3);
    equal(getHead(store), root("c1"));
  });

  it("starts at the justified block, whatever is heavier elsewhere", () => {
    // a0 - b1 - c2 (its state justifies b1)
    //    \ d1      (all voters)
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 5);
    const justified = { epoch: 2, root: root("b1") };
    grow(store, ["b1 a0", "d1 a0"]);
    for (const voter of EIGHT_EQUAL.keys()) vote(store, voter, "d1", 3);
    onBlock(store, block("c2", "b1", { justified, balancesAt: () => store.balances }));
    equal(getHead(store), root("c2"));
  });

  it("does not depend on the order blocks arrived in, as long as parents come first", () => {
    const trunk = ["b1 a0", "e1 a0"];
    const leaves = ["c2 b1", "d2 b1", "f2 e1", "g3 e1", "h4 a0"];
    const headAfter = (lines: readonly string[]): string => {
      const store = storeAtGenesis(EIGHT_EQUAL);
      onTick(store, 6);
      grow(store, [...trunk, ...lines]);
      for (const [voter, head] of ["c2", "c2", "d2", "f2", "g3", "h4"].entries()) vote(store, voter, head, 5);
      return getHead(store);
    };
    fc.assert(
      fc.property(fc.shuffledSubarray(leaves, { minLength: leaves.length }), (shuffled) => {
        equal(headAfter(shuffled), root("c2"));
      }),
    );
  });
});

describe("fork choice: fresh and stale votes", () => {
  it("lets a third of fresh stake decide against any amount of stale stake", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 50);
    grow(store, ["b1 a0", "c1 a0"]);
    for (const voter of [0, 1, 2, 3, 4]) vote(store, voter, "c1", 5);
    for (const voter of [5, 6, 7]) vote(store, voter, "b1", 45);
    equal(getHead(store), root("b1"));
  });

  it("counts both alike while fresh votes are below a third of the stake", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 50);
    grow(store, ["b1 a0", "c1 a0"]);
    for (const voter of [0, 1, 2, 3]) vote(store, voter, "b1", 5);
    for (const voter of [5, 6]) vote(store, voter, "c1", 45);
    equal(getHead(store), root("b1"));
  });
});

describe("fork choice: votes", () => {
  it("count from the slot after their own", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 3);
    grow(store, ["b1 a0", "c1 a0"]);
    vote(store, 0, "b1", 3);
    equal(getHead(store), root("c1"));
    onTick(store, 4);
    equal(getHead(store), root("b1"));
  });

  it("of one validator: the newest counts, of two for one slot the first", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 9);
    grow(store, ["b1 a0", "c1 a0"]);
    vote(store, 0, "c1", 3);
    vote(store, 0, "b1", 5);
    vote(store, 0, "c1", 5);
    vote(store, 0, "c1", 4);
    equal(getHead(store), root("b1"));
  });

  it("in a block count for a head that comes only later", () => {
    // a0 - b1
    //    \ c2 - d3   d3 includes a vote for b1, which is not there yet
    const store = storeAtGenesis([10, 1]);
    onTick(store, 4);
    grow(store, ["c2 a0"]);
    const votes = [{ slot: 2, headRoot: root("b1"), validatorIndices: [0] }];
    onBlock(store, block("d3", "c2", { votes, balancesAt: () => store.balances }));
    equal(getHead(store), root("d3"));
    grow(store, ["b1 a0"]);
    equal(getHead(store), root("b1"));
    deepEqual(store.headlessVotes, []);
  });

  it("for a block that is not in the tree are not counted and do not replace an older one", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 9);
    grow(store, ["b1 a0", "c1 a0"]);
    vote(store, 0, "b1", 3);
    vote(store, 0, "z4", 5);
    equal(getHead(store), root("b1"));
  });

  it("of a proven equivocator weigh nothing, for ever", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 9);
    grow(store, ["b1 a0", "c1 a0"]);
    vote(store, 0, "b1", 3);
    onEquivocation(store, [0]);
    equal(getHead(store), root("c1"));
    vote(store, 0, "b1", 6);
    equal(getHead(store), root("c1"));
  });
});

describe("fork choice: proposer boost", () => {
  // a0 - c1   (2 of the 8 who voted lately)
  //    \ b2   (timely in slot 2)
  function storeWithTimelyBlock(voters: readonly number[]): ForkChoiceStore {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 2);
    grow(store, ["c1 a0"]);
    for (const voter of voters) vote(store, voter, "c1", 1);
    getHead(store);
    onBlock(store, block("b2", "a0", { isTimely: true }));
    return store;
  }

  it("is a third of the stake that voted lately, not of all stake", () => {
    equal(getHead(storeWithTimelyBlock([0])), root("c1"));
  });

  it("ends with the slot", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 2);
    grow(store, ["c1 a0", "d1 a0"]);
    for (const voter of [0, 1, 2]) vote(store, voter, "c1", 1);
    for (const voter of [3, 4]) vote(store, voter, "d1", 1);
    getHead(store);
    onBlock(store, block("e2", "d1", { isTimely: true }));
    equal(getHead(store), root("e2"));
    onTick(store, 3);
    equal(getHead(store), root("c1"));
  });

  it("goes to the first timely block of the slot only", () => {
    const store = storeWithTimelyBlock([0]);
    onBlock(store, block("d2", "a0", { isTimely: true }));
    equal(store.boostRoot, root("b2"));
  });

  it("is not given to a block with other proposers than the head's chain", () => {
    // a0 - b1 ... head at 70; a0 - c2 - d70: the branches part before period 2's proposers were drawn
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 70);
    grow(store, ["z1 a0", "c2 a0"]);
    equal(getHead(store), root("z1"));
    onBlock(store, block("d70", "c2", { isTimely: true }));
    equal(store.boostRoot, undefined);
  });
});

describe("fork choice: the valve", () => {
  const justified = { epoch: 2, root: root("b1") };
  // a0 - b1 - d2           (all votes)
  //         \ c3           (its state justified b1)
  function storeWithUnadoptedProof(): ForkChoiceStore {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 4);
    grow(store, ["b1 a0", "d2 b1"]);
    onBlock(store, block("c3", "b1", { justified, balancesAt: () => store.balances }));
    return store;
  }

  function headWithAllVotesOnD(store: ForkChoiceStore, slot: number): string {
    onTick(store, slot);
    for (const voter of EIGHT_EQUAL.keys()) vote(store, voter, "d2", slot - 1);
    return getHead(store);
  }

  it("stays shut for ADOPTION_SLOTS, so that the heavier branch can adopt the proof", () => {
    equal(headWithAllVotesOnD(storeWithUnadoptedProof(), 4 + 16), root("d2"));
  });

  it("then moves the head to the branch that contains the proof", () => {
    equal(headWithAllVotesOnD(storeWithUnadoptedProof(), 4 + 17), root("c3"));
  });

  it("opens at once when the votes are too old to be carried over", () => {
    const store = storeAtGenesis(EIGHT_EQUAL, paramsWith({ slotsPerHistoricalRoot: 10 }));
    onTick(store, 12);
    grow(store, ["b1 a0", "d2 b1"]);
    onBlock(store, block("c3", "b1", { justified, balancesAt: () => store.balances }));
    equal(headWithAllVotesOnD(store, 13), root("c3"));
  });

  it("shuts when the heavier branch has adopted the proof", () => {
    const store = storeWithUnadoptedProof();
    onTick(store, 30);
    onBlock(store, block("e29", "d2", { justified, balancesAt: () => store.balances }));
    for (const voter of EIGHT_EQUAL.keys()) vote(store, voter, "d2", 29);
    equal(getHead(store), root("e29"));
  });
});

describe("fork choice: checkpoints", () => {
  it("of an epoch is the last block before the epoch's first slot", () => {
    const store = storeAtGenesis(EIGHT_EQUAL, paramsWith({}, 4));
    onTick(store, 20);
    grow(store, ["b3 a0", "c4 b3", "d9 c4"]);
    deepEqual(
      [0, 1, 2, 3].map((epoch) => checkpointBlock(store, root("d9"), epoch)),
      ["a0", "b3", "c4", "d9"].map(root),
    );
  });

  it("name the highest justified one on the head's own chain as source", () => {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 9);
    grow(store, ["b1 a0", "c1 a0"]);
    const onB = { epoch: 2, root: root("b1") };
    const onC = { epoch: 3, root: root("c1") };
    onBlock(store, block("d2", "b1", { justified: onB, balancesAt: () => store.balances }));
    onBlock(store, block("e3", "c1", { justified: onC, balancesAt: () => store.balances }));
    deepEqual(bestSource(store, root("d2"), 8), { checkpoint: onB, proofRoot: root("d2") });
    deepEqual(bestSource(store, root("e3"), 8), { checkpoint: onC, proofRoot: root("e3") });
    deepEqual(bestSource(store, root("e3"), 3)?.checkpoint, { epoch: 0, root: root("a0") });
  });
});

describe("fork choice: finality", () => {
  // a0 - b1 - c2 - d3 - e4 (finalizes b1)
  //    |    \ f2
  //    \ g1 - h2
  function finalizedStore(): ForkChoiceStore {
    const store = storeAtGenesis(EIGHT_EQUAL);
    onTick(store, 9);
    grow(store, ["b1 a0", "c2 b1", "d3 c2", "f2 b1", "g1 a0", "h2 g1"]);
    vote(store, 0, "h2", 5);
    vote(store, 1, "d3", 5);
    return store;
  }
  const balancesAt = () => Uint16Array.from(EIGHT_EQUAL);
  const finalizing = {
    justified: { epoch: 4, root: root("d3") },
    justifiedRing: [
      { epoch: 3, root: root("c2") },
      { epoch: 4, root: root("d3") },
    ],
    finalized: { epoch: 3, root: root("c2") },
    balancesAt,
  };

  it("prunes everything that does not descend from the finalized checkpoint", () => {
    const store = finalizedStore();
    const change = onBlock(store, block("e4", "d3", finalizing));
    deepEqual(change, {
      justified: finalizing.justified,
      finalized: finalizing.finalized,
      prunedRoots: ["a0", "b1", "f2", "g1", "h2"].map(root),
    });
    deepEqual([...store.tree.indices.keys()], ["c2", "d3", "e4"].map(root));
    equal(getHead(store), root("e4"));
  });

  it("prunes children of the finalized block that are too old to be on its checkpoint's chain", () => {
    const store = finalizedStore();
    // Epoch 3's checkpoint is the block at or before slot 2; with b1 final at epoch 3, c2 would replace it.
    const change = onBlock(store, {
      ...block("k5", "b1", finalizing),
      justified: { epoch: 4, root: root("b1") },
      finalized: { epoch: 3, root: root("b1") },
    });
    deepEqual(change.prunedRoots, ["a0", "c2", "d3", "f2", "g1", "h2"].map(root));
  });

  it("keeps each validator's vote on the block it was for, and forgets votes for pruned blocks", () => {
    const store = finalizedStore();
    onBlock(store, block("e4", "d3", finalizing));
    grow(store, ["i5 c2"]);
    getHead(store);
    deepEqual([...store.tree.freshWeights.subarray(0, 4)], [32, 32, 0, 0]);
  });

  it("refuses blocks behind it, on pruned branches, from the future, and not after their parent", () => {
    const store = finalizedStore();
    onBlock(store, block("e4", "d3", finalizing));
    const before = structuredClone(store);
    const cases = [
      [block("l3", "h2"), { code: "FORK_CHOICE_UNKNOWN_PARENT", parentRoot: root("h2") }],
      [block("m10", "e4"), { code: "FORK_CHOICE_FUTURE_BLOCK", slot: 10, nowSlot: 9 }],
      [block("n4", "e4"), { code: "FORK_CHOICE_NOT_AFTER_PARENT", slot: 4, parentSlot: 4 }],
    ] as const;
    for (const [refused, detail] of cases) {
      throws(() => onBlock(store, refused), { detail });
      deepEqual(store, before);
    }
  });

  it("is a safety fault when it would leave our justified checkpoint on another branch", () => {
    // a0 - b1 - c2 - d3          (its state justified c2 at epoch 5)
    //    \ g1 - h2 - i6          (its state finalizes g1 at epoch 2)
    const store = finalizedStore();
    const justified = { epoch: 5, root: root("c2") };
    onBlock(store, block("e6", "d3", { justified, balancesAt }));
    const before = structuredClone(store);
    const conflicting = block("i6", "h2", {
      justified: { epoch: 3, root: root("h2") },
      finalized: { epoch: 2, root: root("g1") },
      balancesAt,
    });
    throws(() => onBlock(store, conflicting), {
      detail: {
        code: "FORK_CHOICE_SAFETY_FAULT",
        finalizedEpoch: 5,
        finalizedRoot: root("c2"),
        conflictingEpoch: 2,
        conflictingRoot: root("g1"),
      },
    });
    deepEqual(store, before);
  });
});
