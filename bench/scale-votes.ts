/** The consensus benchmark's votes: aggregates to verify, and a pool to pack from. */
import { BitArray } from "@chainsafe/ssz";
import type { SignedAggregateAndProof } from "../consensus/chain-containers.ts";
import { createEngine } from "../consensus/engine.ts";
import { processSlots } from "../consensus/process-slots.ts";
import { getCommittees } from "../consensus/selection.ts";
import {
  aggregateSignatureSets,
  aggregateSigningRoot,
  attestationSigningRoot,
  selectionSigningRoot,
} from "../consensus/signature-sets.ts";
import { type ConsensusState, forkState, getLatestBlockRoot } from "../consensus/state.ts";
import { packVotes } from "../consensus/vote-packing.ts";
import { addAggregateToPool, addToPool, POOL_SLOTS } from "../consensus/vote-pool.ts";
import { voteKey } from "../consensus/vote-records.ts";
import { blsPublicKey, blsSign, blsVerifySets } from "../primitives/bls.ts";
import { toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { medianProcessorMillis } from "./median.ts";
import { type ScaleChain, signTogether, voteDataOf } from "./scale-chain.ts";

/** Milliseconds to verify one aggregate of each committee in one batch. */
export function measureAggregates(chain: ScaleChain, state: ConsensusState, slot: number): number {
  const { params } = chain;
  const signed = getCommittees(state, slot, params).map((committee, index) => ({
    committee,
    aggregate: aggregateOf(chain, state, slot, committee, index),
  }));
  const work = () => {
    const sets = signed.flatMap(({ aggregate, committee }) =>
      aggregateSignatureSets(state, aggregate, [...committee], params),
    );
    assert(blsVerifySets(sets), "the aggregates are signed");
  };
  return medianProcessorMillis(work);
}

export const SINGLE_VOTES = 64;

/** Milliseconds to verify single votes of a slot that came from a peer each: one after the other, and gathered. */
export function measureSingleVotes(
  chain: ScaleChain,
  state: ConsensusState,
  slot: number,
): { readonly alone: number; readonly gathered: number } {
  const { params, secretKeys } = chain;
  const data = voteDataOf(chain, state, slot);
  const message = attestationSigningRoot(state, data, params);
  const sets = secretKeys.slice(0, SINGLE_VOTES).map((key) => ({
    ...{ publicKeys: [blsPublicKey(key)], message },
    signature: blsSign(key, message),
  }));
  const check = (batch: typeof sets) => assert(blsVerifySets(batch), "the votes are signed");
  return {
    alone: medianProcessorMillis(() => {
      for (const set of sets) check([set]);
    }),
    gathered: medianProcessorMillis(() => check(sets)),
  };
}

function aggregateOf(
  chain: ScaleChain,
  state: ConsensusState,
  slot: number,
  committee: Uint32Array,
  index: number,
): SignedAggregateAndProof {
  const { params } = chain;
  const data = voteDataOf(chain, state, slot);
  const aggregatorIndex = committee[0] ?? 0;
  const message = {
    aggregatorIndex,
    aggregate: {
      aggregationBits: BitArray.fromBoolArray([...committee].map(() => true)),
      ...{ data, committeeBits: BitArray.fromSingleBit(params.maxCommitteesPerSlot, index) },
      signature: signTogether(chain, committee, attestationSigningRoot(state, data, params)),
    },
    selectionProof: signTogether(chain, [aggregatorIndex], selectionSigningRoot(state, slot, params)),
  };
  const signature = signTogether(chain, [aggregatorIndex], aggregateSigningRoot(state, message, params));
  return { message, signature };
}

/** Milliseconds to fill a block from a pool of 64 slots, of which the last is not in the chain yet. */
export function measurePacking(chain: ScaleChain, state: ConsensusState): number {
  const { params, genesisRoot } = chain;
  const engine = createEngine({
    ...{ params, genesisRoot, anchorState: state, anchorEpoch: state.justified.epoch },
    ...{ localValidators: [], nowMs: state.slot * params.slotSeconds * 1000 },
  });
  const signature = signTogether(chain, [0], new Uint8Array(32));
  const first = Math.max(chain.firstVoteSlot, state.slot - POOL_SLOTS + 1);
  for (let slot = first; slot <= state.slot; slot++) {
    const data = voteDataOf(chain, state, slot);
    const key = voteKey(data);
    const committees = getCommittees(state, slot, params);
    for (const [index, committee] of committees.entries()) {
      if (committees.length > 1) {
        const bits = BitArray.fromBoolArray([...committee].map(() => true));
        const validatorIndices = [...committee].sort((a, b) => a - b);
        addAggregateToPool(engine.votePool, { key, data, validatorIndices }, index, { bits, signature });
        continue;
      }
      for (const voter of committee) {
        addToPool(engine.votePool, { key, data, validatorIndices: [voter], signature }, voter);
      }
    }
  }
  const draft = forkState(state);
  processSlots(draft, state.slot + 1, params);
  const parentRoot = toHex(getLatestBlockRoot(state));
  return medianProcessorMillis(() => packVotes(engine, draft, parentRoot));
}
