/** What must hold after every step of every honest node. See specs/simulation/invariants.md. */
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
import type { Hash } from "../../primitives/bytes.ts";
import { type NaiveView, naiveHead } from "../consensus/naive-ghost.ts";
import { must } from "./violation.ts";

/** Votes signed by each validator, in order, over all restarts. */
export type VoteLog = Map<number, AttestationData[]>;

/** What the observer remembers of a node. */
export type Memory = {
  justified: number;
  finalized: number;
  /** Of the store, before the step that runs. */
  print: string;
  /** Which block had the boost then. */
  boost: Hash | undefined;
  /** When each block first came. */
  readonly arrivals: Map<Hash, number>;
  /** Against whom the node gave evidence of double votes. */
  readonly evidence: Set<number>;
};

/** How far back votes are compared pair by pair; beyond it the order of sources and targets is enough. */
const COMPARED_VOTES = 40;

/** All that a refused message must leave as it was. */
export function fingerprint({ store }: Engine): string {
  const { tree, votes, justified, finalized } = store;
  return [
    ...[
      store.headRoot,
      store.boostRoot,
      tree.length,
      tree.roots[tree.length - 1],
      justified.root,
      finalized.root,
    ],
    ...[store.justifiedSeen.size, store.queuedVotes.length, votes.slots, votes.blocks, votes.equivocating],
  ].join();
}

/** Checkpoints in order, monotone, and on the head's chain. */
export function checkStore(
  { store }: Engine,
  before: { readonly justified: number; readonly finalized: number } | undefined,
): void {
  const { tree, justified, finalized } = store;
  must(finalized.epoch <= justified.epoch, 2, "finality is above justification");
  if (before !== undefined) {
    must(justified.epoch >= before.justified, 2, "justification went back");
    must(finalized.epoch >= before.finalized, 2, "finality went back");
  }
  const indexOf = (root: typeof finalized.root): number => tree.indices.get(root) ?? -1;
  const head = indexOf(store.headRoot);
  must(head >= 0 && isDescendant(tree, head, indexOf(finalized.root)), 2, "the head left finality");
  must(tree.roots[0] === finalized.root, 2, "the tree does not begin at finality");
}

/** Only a block that came before votes fell due has the boost. */
export function checkBoost({ store, blocks }: Engine, { arrivals }: Memory, params: ChainParams): void {
  const slot = blocks.get(store.boostRoot ?? "0x")?.slot;
  const arrivalMs = store.boostRoot === undefined ? undefined : arrivals.get(store.boostRoot);
  if (slot === undefined || arrivalMs === undefined) return;
  const dueMs = params.slotSeconds * 10 * params.attestationDuePercent;
  must(arrivalMs - slot * params.slotSeconds * 1000 < dueMs, 5, "a late block has the boost");
}

/** A block that is given the boost is its proposer's only one, as far as the node knows. */
export function checkNewBoost({ store, seenProposals }: Engine, memory: Memory): void {
  const { boostRoot } = store;
  if (boostRoot === memory.boost) return;
  memory.boost = boostRoot;
  for (const { root, isEquivocation } of boostRoot === undefined ? [] : seenProposals.values()) {
    must(root !== boostRoot || !isEquivocation, 5, "a proposer of two blocks for a slot has the boost");
  }
}

/**
 * The head is the naive rule's (unless `isAlone`, without that comparison), lies above the justified checkpoint
 * without replacing it, and no vote of the running slot counts for it. @returns the head.
 */
export function checkHead(
  { store }: Engine,
  params: ChainParams,
  { evidence }: Memory,
  isAlone: boolean,
): Hash {
  const { tree, votes } = store;
  const isEarly = votes.slots.some((slot) => slot >= store.nowSlot);
  must(!isEarly, 5, "a vote counts in its own slot");
  for (const offender of evidence) {
    must(votes.equivocating[offender] === 1, 5, `${offender} was seen to equivocate and still has weight`);
  }
  const blocks = tree.roots.slice(0, tree.length).map((root, index) => ({
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
  must(isAlone || head === naiveHead(view), 5, "the flat arrays choose a head the naive rule does not");
  must(
    checkpointBlock(store, head, store.justified.epoch) === store.justified.root,
    5,
    "the head left justification",
  );
  return head;
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
    must(data.source.epoch >= last.source.epoch, 3, "a source of a validator fell");
    must(data.target.epoch > last.target.epoch, 3, `${validatorIndex} voted twice in one epoch`);
  }
  for (const other of votes.slice(-COMPARED_VOTES)) {
    const isSlashable = isSlashableAttestationData(other, data) || isSlashableAttestationData(data, other);
    must(!isSlashable, 3, `${validatorIndex} signed a slashable pair of votes`);
  }
  votes.push(data);
}

/** Some kept state finalized it by a link of bounded span whose inner epochs are all justified. */
export function checkFinalityLinks(engine: Engine, finalized: TreeCheckpoint, params: ChainParams): void {
  const states = [...engine.states.entries.values()]
    .map(({ state }) => state)
    .filter((state) => state.finalized.epoch === finalized.epoch);
  must(
    states.some((state) => hasFinalizingLink(state, finalized.epoch, params)),
    4,
    "finality lacks its link",
  );
  for (const state of states) checkRing(state);
}

/** Whether votes of this state link `source` to a justified target near enough, with no gap between. */
export function hasFinalizingLink(state: ConsensusState, source: number, params: ChainParams): boolean {
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
  must(
    epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!),
    4,
    "two justified checkpoints in one epoch",
  );
  must(findJustified(state, state.finalized.epoch) !== undefined, 4, "what is final is not justified");
}
