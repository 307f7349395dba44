/** The voting rules of specs/consensus/finality.md over plain sets and maps, with every loop written out. */
import type { AttestationData, Checkpoint } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { computeCheckpointSlot, computeEpochAtSlot } from "../../consensus/time.ts";
import { equalBytes } from "../../primitives/bytes.ts";

export type NaiveVote = { readonly data: AttestationData; readonly voters: readonly number[] };

export type NaiveChain = {
  /** What each validator's vote for an epoch weighs. */
  readonly weightsAt: (epoch: number) => readonly number[];
  /** Root of the last block at or before each slot below `slot`. */
  readonly roots: Uint8Array[];
  slot: number;
  finalized: Checkpoint;
  justified: Checkpoint;
  ring: Map<number, Checkpoint>;
  readonly tallies: Map<
    number,
    { readonly voters: Set<number>; readonly bySource: Map<number, Set<number>> }
  >;
  readonly seen: Map<number, Set<number>>;
  hitsTarget: number[];
  hitsHead: number[];
};

/** @param weightsAt the same weights in all epochs when left out. */
export function naiveGenesis(
  weights: readonly number[],
  weightsAt: NaiveChain["weightsAt"] = () => weights,
): NaiveChain {
  const checkpoint = { epoch: 0, root: new Uint8Array(32) };
  return {
    weightsAt,
    roots: [],
    slot: 0,
    finalized: checkpoint,
    justified: checkpoint,
    ring: new Map([[0, checkpoint]]),
    tallies: new Map(),
    seen: new Map(),
    hitsTarget: weights.map(() => 0),
    hitsHead: weights.map(() => 0),
  };
}

/** Empty slots from the chain's slot up to `slot`; `root` is that of the last block. */
export function naiveSlots(chain: NaiveChain, slot: number, root: Uint8Array, params: ChainParams): void {
  while (chain.slot < slot) {
    chain.roots[chain.slot] = root;
    chain.slot += 1;
    if (chain.slot % params.periodSlots !== 0) continue;
    chain.hitsTarget = chain.hitsTarget.map(() => 0);
    chain.hitsHead = chain.hitsHead.map(() => 0);
    chain.ring = new Map(
      [...chain.ring].filter(
        ([epoch]) =>
          computeCheckpointSlot(epoch, params) + params.slotsPerHistoricalRoot >= chain.slot ||
          epoch >= chain.finalized.epoch,
      ),
    );
  }
}

/** Why the chain may not include the vote at its slot, or undefined. */
export function naiveFault(chain: NaiveChain, { data }: NaiveVote, params: ChainParams): string | undefined {
  const { slot, source, target } = data;
  if (slot >= chain.slot) return "NOT_BEFORE_BLOCK";
  if (target.epoch !== computeEpochAtSlot(slot, params)) return "TARGET_NOT_OF_SLOT";
  if (source.epoch >= target.epoch) return "SOURCE_NOT_BEFORE_TARGET";
  const age = chain.slot - computeCheckpointSlot(target.epoch, params);
  if (age > params.slotsPerHistoricalRoot) return "TOO_OLD";
  const justified = chain.ring.get(source.epoch);
  if (justified === undefined || !equalBytes(justified.root, source.root)) return "SOURCE_NOT_JUSTIFIED";
  return undefined;
}

/** Includes votes without fault in a block at the chain's slot. */
export function naiveBlock(chain: NaiveChain, votes: readonly NaiveVote[], params: ChainParams): void {
  for (const vote of votes) naiveVote(chain, vote, params);
  naiveFinality(chain, params);
}

/** One of them: earlier ones may justify the source of later ones. */
export function naiveVote(chain: NaiveChain, vote: NaiveVote, params: ChainParams): void {
  credit(chain, vote, params);
  count(chain, vote, params);
}

function credit(chain: NaiveChain, { data, voters }: NaiveVote, params: ChainParams): void {
  const delay = chain.slot - data.slot;
  if (delay > params.timelyTargetSlots) return;
  const seen = chain.seen.get(data.target.epoch) ?? new Set();
  const isTargetRight = equalBytes(data.target.root, checkpointRoot(chain, data.target.epoch, params));
  const isHeadRight =
    delay <= params.timelyHeadSlots && equalBytes(data.beaconBlockRoot, chain.roots[data.slot]!);
  const duties = params.periodSlots / params.forks[0]!.slotsPerEpoch;
  const oneMore = (hits: number) => Math.min(duties, hits + 1);
  for (const voter of voters) {
    if (seen.has(voter)) continue;
    if (isTargetRight) chain.hitsTarget[voter] = oneMore(chain.hitsTarget[voter]!);
    if (isHeadRight) chain.hitsHead[voter] = oneMore(chain.hitsHead[voter]!);
  }
  chain.seen.set(data.target.epoch, new Set([...seen, ...voters]));
}

function count(chain: NaiveChain, { data, voters }: NaiveVote, params: ChainParams): void {
  const { source, target } = data;
  if (!equalBytes(target.root, checkpointRoot(chain, target.epoch, params))) return;
  const tally = chain.tallies.get(target.epoch) ?? { voters: new Set(), bySource: new Map() };
  chain.tallies.set(target.epoch, tally);
  const isFinalizing =
    source.epoch > chain.finalized.epoch && target.epoch - source.epoch <= params.finalitySpanEpochs;
  for (const voter of voters) {
    if (tally.voters.has(voter)) continue;
    tally.voters.add(voter);
    if (!isFinalizing) continue;
    const fromSource = tally.bySource.get(source.epoch) ?? new Set();
    tally.bySource.set(source.epoch, fromSource.add(voter));
  }
  if (!isEnough(chain, target.epoch, tally.voters)) return;
  chain.ring.set(target.epoch, target);
  if (target.epoch > chain.justified.epoch) chain.justified = target;
}

/** After all votes of a block. */
export function naiveFinality(chain: NaiveChain, params: ChainParams): void {
  const ascending = <T>(map: Map<number, T>) => [...map].sort(([a], [b]) => a - b);
  for (const [target, tally] of ascending(chain.tallies)) {
    for (const [source, voters] of ascending(tally.bySource)) {
      const between = Array.from({ length: target - source - 1 }, (_, index) => source + 1 + index);
      if (
        chain.ring.has(target) &&
        source > chain.finalized.epoch &&
        target - source <= params.finalitySpanEpochs &&
        isEnough(chain, target, voters) &&
        between.every((epoch) => chain.ring.has(epoch))
      ) {
        chain.finalized = chain.ring.get(source)!;
      }
    }
  }
}

function isEnough(chain: NaiveChain, epoch: number, voters: ReadonlySet<number>): boolean {
  const weights = chain.weightsAt(epoch);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const voted = [...voters].reduce((sum, voter) => sum + (weights[voter] ?? 0), 0);
  return 3 * voted >= 2 * total;
}

function checkpointRoot(chain: NaiveChain, epoch: number, params: ChainParams): Uint8Array {
  return chain.roots[computeCheckpointSlot(epoch, params)]!;
}
