/** The votes of the final chain counted again, by plain sets. See specs/simulation/invariants.md. */
import type { BeaconBlock } from "../../consensus/chain-containers.ts";
import { getAttestingIndices } from "../../consensus/indexed-attestation.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { computeEpochAtSlot, computePeriodAtSlot, computeStartSlotAtEpoch } from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";
import {
  type NaiveChain,
  naiveFault,
  naiveFinality,
  naiveGenesis,
  naiveSlots,
  naiveVote,
} from "../consensus/naive-finality.ts";
import { must } from "./violation.ts";

export type FinalityBooks = { readonly chain: NaiveChain; readonly weights: Map<number, readonly number[]> };

export function openFinalityBooks(genesis: ConsensusState, params: ChainParams): FinalityBooks {
  const weights = new Map<number, readonly number[]>();
  const weightsAt = (epoch: number): readonly number[] =>
    weights.get(computePeriodAtSlot(computeStartSlotAtEpoch(epoch, params), params)) ?? [];
  const books = { weights, chain: naiveGenesis([], weightsAt) };
  noteWeights(books, genesis, params);
  return books;
}

/** What votes of the period weigh that begins with `state`: stake that is active and not slashed then. */
export function noteWeights({ weights }: FinalityBooks, state: ConsensusState, params: ChainParams): void {
  const epoch = computeEpochAtSlot(state.slot, params);
  const increment = params.effectiveBalanceIncrementGwei;
  const stakes = state.validators
    .getAllReadonlyValues()
    .map(({ slashed, activationEpoch, exitEpoch, effectiveBalance }) =>
      !slashed && activationEpoch <= epoch && epoch < exitEpoch ? Number(effectiveBalance / increment) : 0,
    );
  weights.set(computePeriodAtSlot(state.slot, params), stakes);
}

/**
 * Each vote of the block rests on a justified source, and together they justify and finalize what the naive rules say.
 *
 * @param post the state after the block. @throws Violation 4
 */
export function checkVotes(
  { chain }: FinalityBooks,
  block: BeaconBlock,
  post: ConsensusState,
  params: ChainParams,
): void {
  naiveSlots(chain, block.slot, block.parentRoot, params);
  for (const attestation of block.body.attestations) {
    const vote = { data: attestation.data, voters: getAttestingIndices(post, attestation, params) };
    const fault = naiveFault(chain, vote, params);
    must(fault === undefined, 4, `a vote that no block may include is in the chain: ${fault}`);
    naiveVote(chain, vote, params);
  }
  naiveFinality(chain, params);
  for (const name of ["justified", "finalized"] as const) {
    const [counted, claimed] = [chain[name], post[name]];
    const isSame = counted.epoch === claimed.epoch && toHex(counted.root) === toHex(claimed.root);
    must(isSame, 4, `${name} is epoch ${claimed.epoch} by the state and ${counted.epoch} by its votes`);
  }
}

/** The same checkpoints are justified, each of this chain. @throws Violation 4 */
export function checkRingOf({ chain }: FinalityBooks, state: ConsensusState): void {
  const counted = [...chain.ring.values()].sort((a, b) => a.epoch - b.epoch);
  const claimed = state.justifiedRing.getAllReadonlyValues();
  const text = (ring: typeof claimed): string =>
    ring.map(({ epoch, root }) => `${epoch} ${toHex(root)}`).join();
  must(text(counted) === text(claimed), 4, "the justified checkpoints are not those that its votes justify");
}
