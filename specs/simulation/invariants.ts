/** What must hold after every step of every node. See specs/simulation/simulation.md#invariants. */
import { equal, ok } from "node:assert/strict";
import type { AttestationData } from "../../consensus/containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { isSupermajority } from "../../consensus/finality.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { checkpointBlock, type TreeCheckpoint } from "../../consensus/fork-choice-store.ts";
import { areAllJustified, findJustified } from "../../consensus/justified-ring.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { isDescendant } from "../../consensus/proto-array.ts";
import { isSlashableAttestationData } from "../../consensus/slashability.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { getTally } from "../../consensus/tallies.ts";
import { getWeightSnapshot, weigh } from "../../consensus/weight-snapshots.ts";
import { type NaiveView, naiveHead } from "../consensus/naive-ghost.ts";

/** Votes signed by each validator, in order, over all restarts. */
export type VoteLog = Map<number, AttestationData[]>;

/** How far back votes are compared pair by pair; beyond it the order of sources and targets is enough. */
const COMPARED_VOTES = 40;

/** Checkpoints in order, monotone, and on the head's chain. */
export function checkStore(
  { store }: Engine,
  before: { readonly justified: number; readonly finalized: number } | undefined,
): void {
  const { tree, justified, finalized } = store;
  ok(finalized.epoch <= justified.epoch, "finality is not above justification");
  if (before !== undefined) {
    ok(justified.epoch >= before.justified, "justification does not go back");
    ok(finalized.epoch >= before.finalized, "finality does not go back");
  }
  const indexOf = (root: typeof finalized.root): number => tree.indices.get(root) ?? -1;
  const head = indexOf(store.headRoot);
  ok(head >= 0 && isDescendant(tree, head, indexOf(finalized.root)), "the head descends from finality");
  equal(tree.roots[0], finalized.root, "the tree begins at finality");
}

/** The head is the naive rule's, and lies above the justified checkpoint without replacing it. */
export function checkHead({ store }: Engine): void {
  const { tree, votes, params } = store;
  const blocks = tree.roots.map((root, index) => ({
    root,
    parent: index === 0 ? undefined : tree.roots[tree.parents[index]!],
    slot: tree.slots[index]!,
    justifiedEpoch: tree.justifiedEpochs[index]!,
  }));
  const view: NaiveView = {
    ...{ params, nowSlot: store.nowSlot, justified: store.justified, justifiedAtSlot: store.justifiedAtSlot },
    blocks,
    // A vote for a pruned block has no head, but still tells that its validator voted lately.
    votes: Array.from(store.balances, (_, voter) => ({
      slot: votes.slots[voter] ?? -1,
      head: tree.roots[votes.blocks[voter] ?? -1] ?? "pruned",
    })),
    balances: [...store.balances],
    equivocators: [...votes.equivocating.keys()].filter((voter) => votes.equivocating[voter] === 1),
    boost: store.boostRoot,
  };
  const remembered = store.headRoot;
  const head = getHead(store);
  store.headRoot = remembered;
  equal(head, naiveHead(view), "the flat arrays choose as the naive rule does");
  equal(checkpointBlock(store, head, store.justified.epoch), store.justified.root);
}

/** No two votes of a validator are slashable; sources never fall, targets always rise. */
export function checkVote(log: VoteLog, validatorIndex: number, data: AttestationData): void {
  let votes = log.get(validatorIndex);
  if (votes === undefined) {
    votes = [];
    log.set(validatorIndex, votes);
  }
  const last = votes.at(-1);
  if (last !== undefined) {
    ok(data.source.epoch >= last.source.epoch, "sources of a validator do not fall");
    ok(data.target.epoch > last.target.epoch, "one vote an epoch");
  }
  for (const other of votes.slice(-COMPARED_VOTES)) {
    ok(!isSlashableAttestationData(other, data), "no slashable pair of votes");
    ok(!isSlashableAttestationData(data, other), "no slashable pair of votes");
  }
  votes.push(data);
}

/** Some kept state finalized it by a link of bounded span whose inner epochs are all justified. */
export function checkFinalityLinks(engine: Engine, finalized: TreeCheckpoint, params: ChainParams): void {
  const states = [...engine.states.entries.values()]
    .map(({ state }) => state)
    .filter((state) => state.finalized.epoch === finalized.epoch);
  ok(states.length > 0, "a kept state contains the finality");
  ok(
    states.some((state) => hasFinalizingLink(state, finalized.epoch, params)),
    "finality has its link",
  );
  for (const state of states) checkRing(state);
}

function hasFinalizingLink(state: ConsensusState, source: number, params: ChainParams): boolean {
  for (let target = source + 1; target <= source + params.finalitySpanEpochs; target++) {
    const links = getTally(state, target, params)?.bySource ?? [];
    const snapshot = getWeightSnapshot(state, target, params);
    const link = links.find(({ sourceEpoch }) => sourceEpoch === source);
    const isHeavy = link !== undefined && isSupermajority(weigh(link.bits, snapshot), snapshot.total);
    const isTargetJustified = findJustified(state, target) !== undefined;
    if (isHeavy && isTargetJustified && areAllJustified(state, source + 1, target - 1)) return true;
  }
  return false;
}

/** One justified checkpoint an epoch, in order; finality is one of them. */
function checkRing(state: ConsensusState): void {
  const epochs = state.justifiedRing.getAllReadonlyValues().map(({ epoch }) => epoch);
  ok(
    epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!),
    "one justified checkpoint an epoch",
  );
  ok(findJustified(state, state.finalized.epoch) !== undefined, "what is final is justified");
}
