/** A random search for conflicting finality without an offence, on two real chains that fork early. See specs/simulation/scenarios.md#vote-search. */
import { createHash } from "node:crypto";
import { BitArray } from "@chainsafe/ssz";
import { findAttestationFault } from "../../consensus/attestation-rules.ts";
import type { Attestation } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import { findJustified } from "../../consensus/justified-ring.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { type ConsensusState, getCheckpointRoot } from "../../consensus/state.ts";
import { toHex } from "../../primitives/bytes.ts";
import { advanced, equalStakes, genesisWith, seal, unsealedBlock } from "../consensus/hand-made-chain.ts";
import { hasFinalizingLink } from "./invariants.ts";
import type { Size } from "./plan.ts";
import { type RandomStream, randomStream } from "./random-stream.ts";
import type { Run } from "./simulation.ts";
import { mutatedParams, type Switch, simulatorParams } from "./simulator-params.ts";
import { must } from "./violation.ts";

/** Three validators of equal stake: two of them are two thirds. */
const VOTERS = [0, 1, 2];
const LAST_EPOCH = 8;
const VOTES = 24;
const SPAN = { finalitySpanEpochs: 3 };

/** Two chains that share their blocks up to the fork, long enough to include every vote. */
type Chains = { readonly fork: number; readonly tips: readonly [ConsensusState, ConsensusState] };
type Link = { readonly source: number; readonly target: number; readonly chain: 0 | 1 };

/** Searches for `slots` rounds, 60 when left out. @throws Violation 1 or 4 */
export function searchVotes(seed: number, { slots: rounds = 60 }: Size, mutation: Switch): Run {
  const params = mutatedParams(SPAN, mutation);
  const control = simulatorParams(SPAN);
  const random = randomStream(seed, "vote search");
  const digest = createHash("sha256");
  const chains = [0, 1, 2].map((fork) => forkedAt(fork, params));
  let finalities = 0;
  for (let round = 0; round < rounds; round++) {
    const { fork, tips } = chains[random.below(chains.length)]!;
    const votes = castVotes(random, tips, fork, params);
    const finals = tips.map((tip, chain) => {
      const { state, isLinked } = includeAll(tip, votes[chain]!, params, control);
      for (const { epoch, root } of state.justifiedRing.getAllReadonlyValues().slice(1)) {
        const isOwn = toHex(root) === toHex(getCheckpointRoot(state, epoch, control));
        must(isOwn, 4, `epoch ${epoch} is justified by a block of another chain`);
      }
      must(isLinked, 4, `epoch ${state.finalized.epoch} is final without its link`);
      return state.finalized.epoch;
    });
    digest.update(`${finals}\n`);
    if (finals.some((epoch) => epoch > 0)) finalities++;
    // Epochs above the fork have other roots on each chain. No two of the votes are an offence.
    const isConflict = finals.every((epoch) => epoch > fork);
    must(
      !isConflict,
      1,
      `${finals.join(" and ")} are final above the fork at ${fork}, and nobody is to blame`,
    );
  }
  return {
    ...{
      scenario: "vote-search",
      seed,
      hash: digest.digest("hex"),
      finalitySlots: [],
      slots: [],
      blocks: rounds,
    },
    ...{ orphans: 0, honestOrphans: [], chain: [], checks: 2 * rounds, slashed: [], slashableVoters: [] },
    ...{
      ...{ hasConflict: false, honest: 0, faulted: 0, checkInputOrder: () => undefined },
      parts: [],
      finding: `${finalities} of ${rounds} rounds were final, none in conflict`,
    },
  };
}

function forkedAt(fork: number, params: ChainParams): Chains {
  let state = genesisWith(params, equalStakes(VOTERS.length)).state;
  for (let slot = 1; slot <= fork; slot++) state = next(state, slot, 0, params);
  const tip = (mark: number): ConsensusState =>
    advanced(next(state, fork + 1, mark, params), LAST_EPOCH + 2, params);
  return { fork, tips: [tip(1), tip(2)] };
}

function next(state: ConsensusState, slot: number, mark: number, params: ChainParams): ConsensusState {
  const block = unsealedBlock(state, slot, [], params);
  block.body.graffiti = new Uint8Array(32).fill(mark);
  return seal(state, block, params).state;
}

/** Coalitions of two, now and then one alone, link justified epochs; nobody signs what the rules slash. */
function castVotes(
  random: RandomStream,
  tips: Chains["tips"],
  fork: number,
  params: ChainParams,
): readonly [Attestation[], Attestation[]] {
  const signed: Link[][] = VOTERS.map(() => []);
  const justified: [number[], number[]] = [[0], [0]];
  const cast: { readonly link: Link; readonly voters: readonly number[] }[] = [];
  // Some rounds vote from sources that nothing has justified; others build a link that spans too much.
  const wildness = random.next() < 0.3 ? 0.5 : 0;
  if (random.next() < 0.15) castLadder(random.below(2) as 0 | 1, signed, cast);
  for (let i = 0; i < VOTES; i++) {
    const chain = random.below(2) as 0 | 1;
    const sources = justified[chain];
    const isWild = random.next() < wildness;
    const source = isWild ? random.below(LAST_EPOCH) : sources[random.below(sources.length)]!;
    const target = source + 1 + Math.floor(random.next() ** 2 * (LAST_EPOCH - source));
    const skipped = random.below(3);
    const isAlone = random.next() < 0.25;
    if (target > LAST_EPOCH) continue;
    const link = { source, target, chain };
    const voters = VOTERS.filter((voter) => (isAlone ? voter === skipped : voter !== skipped)).filter(
      (voter) => signed[voter]!.every((other) => isAllowed(other, link, fork, params)),
    );
    if (voters.length === 0) continue;
    for (const voter of voters) signed[voter]!.push(link);
    cast.push({ link, voters });
    if (voters.length < 2) continue;
    for (const other of [0, 1] as const) {
      const isShared = other === chain || target <= fork;
      if (isShared && !justified[other].includes(target)) justified[other].push(target);
    }
  }
  // Votes for one chain may stand in a block of the other, where they justify nothing.
  const isMixed = random.next() < 0.3;
  const ascending = cast.sort((a, b) => a.link.target - b.link.target);
  return [0, 1].map((chain) =>
    ascending
      .filter(({ link }) => link.chain === chain || link.target <= fork || isMixed)
      .map(({ link, voters }) => toAttestation(tips[link.chain], link, voters, params)),
  ) as [Attestation[], Attestation[]];
}

/** Epochs 2 to 4 are justified by two sources that do not finalize; only 1 → 5, too long, has two thirds from one. */
function castLadder(
  chain: 0 | 1,
  signed: Link[][],
  cast: { readonly link: Link; readonly voters: readonly number[] }[],
): void {
  const vote = (source: number, target: number, voters: readonly number[]): void => {
    const link = { source, target, chain };
    for (const voter of voters) signed[voter]!.push(link);
    cast.push({ link, voters });
  };
  vote(0, 1, VOTERS);
  for (const target of [2, 3, 4]) {
    vote(1, target, [0]);
    vote(0, target, [1]);
  }
  vote(1, 5, [0, 2]);
}

/** Whether one validator may sign both, by the rules in force: no double vote, no surround vote. */
function isAllowed(a: Link, b: Link, fork: number, params: ChainParams): boolean {
  const isSameChain = a.chain === b.chain || (a.target <= fork && b.target <= fork);
  if (a.target === b.target) return isSameChain && a.source === b.source;
  if (!params.rules.surroundVotesAreSlashable) return true;
  const [low, high] = a.target < b.target ? [a, b] : [b, a];
  return low.source <= high.source;
}

function toAttestation(
  tip: ConsensusState,
  { source, target }: Link,
  voters: readonly number[],
  params: ChainParams,
): Attestation {
  const rootOf = (epoch: number): Uint8Array =>
    epoch === 0 ? new Uint8Array(32) : getCheckpointRoot(tip, epoch, params);
  const data: AttestationData = {
    ...{ slot: target, index: 0, beaconBlockRoot: rootOf(target) },
    source: { epoch: source, root: rootOf(source) },
    target: { epoch: target, root: rootOf(target) },
  };
  return {
    data,
    aggregationBits: BitArray.fromBoolArray(VOTERS.map((voter) => voters.includes(voter))),
    committeeBits: BitArray.fromSingleBit(params.maxCommitteesPerSlot, 0),
    signature: new Uint8Array(96),
  };
}

/** A few blocks with the votes, by target; what may not be included when its turn comes is left out. */
function includeAll(
  tip: ConsensusState,
  votes: readonly Attestation[],
  params: ChainParams,
  control: ChainParams,
): { readonly state: ConsensusState; readonly isLinked: boolean } {
  let state = tip;
  let slot = tip.slot;
  let isLinked = true;
  for (const targets of byTarget(votes)) {
    slot++;
    const draft = advanced(state, slot, params);
    const valid = targets.filter((vote) => findAttestationFault(draft, vote, params) === undefined);
    if (valid.length === 0) continue;
    const block = unsealedBlock(state, slot, valid.slice(0, params.maxAttestations), params);
    const before = state.finalized;
    state = seal(state, block, params).state;
    const { epoch, root } = state.finalized;
    if (toHex(root) === toHex(before.root) && epoch === before.epoch) continue;
    isLinked &&= findJustified(state, epoch) !== undefined && hasFinalizingLink(state, epoch, control);
  }
  return { state, isLinked };
}

function byTarget(votes: readonly Attestation[]): Attestation[][] {
  const groups = new Map<number, Attestation[]>();
  for (const vote of votes) {
    const { epoch } = vote.data.target;
    groups.set(epoch, [...(groups.get(epoch) ?? []), vote]);
  }
  return [...groups.values()];
}
