/** Makes what a light client asks for, from the engine and the stored blocks. See specs/light/light-client.md#serving. */
import { type Node, Tree } from "@chainsafe/persistent-merkle-tree";
import type { BeaconBlock } from "../../consensus/chain-containers.ts";
import { containersOf } from "../../consensus/chain-containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { collectFinalityVotes } from "../../consensus/finality-votes.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { toPayloadHeader } from "../../consensus/process-payload.ts";
import { getRegistry } from "../../consensus/registry.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { computePeriodAtSlot, forkAtEpoch, type Period } from "../../consensus/time.ts";
import type { FinalizedBlock } from "../../light/light-client.ts";
import type { SetProof } from "../../light/set-change.ts";
import { totalWeight, type ValidatorSet } from "../../light/validator-set.ts";
import { fromHex, type Hash, toHex } from "../../primitives/bytes.ts";

/**
 * The finalized block, proven to who trusts `set`.
 *
 * @param blockOf a stored block, genesis included.
 * @returns undefined when the votes at hand do not make two thirds of that set.
 */
export function buildFinalizedBlock(
  engine: Engine,
  set: ValidatorSet,
  blockOf: (root: Hash) => BeaconBlock | undefined,
): FinalizedBlock | undefined {
  const { params } = engine.chain;
  const votes = collectFinalityVotes(engine, set.validators.length);
  if (votes === undefined) return undefined;
  const block = blockOf(toHex(votes.source.root));
  const voters = votes.groups.flatMap(({ validatorIndices }) => validatorIndices);
  const voted = voters.reduce((sum, index) => sum + BigInt(set.validators[index]?.weight ?? 0), 0n);
  if (block === undefined || 3n * voted < 2n * totalWeight(set)) return undefined;

  const { BeaconBlockBody } = containersOf(params);
  const { body, ...header } = block;
  const { gindex } = BeaconBlockBody.getPathInfo(["executionPayload"]);
  return {
    certificate: {
      forkVersion: fromHex(forkAtEpoch(votes.target.epoch, params).version),
      source: votes.source,
      target: votes.target,
      votes: votes.groups.map(({ data, validatorIndices, signature }) => ({
        slot: data.slot,
        beaconBlockRoot: data.beaconBlockRoot,
        participants: validatorIndices,
        signature,
      })),
    },
    header: { ...header, bodyRoot: BeaconBlockBody.hashTreeRoot(body) },
    execution: toPayloadHeader(body.executionPayload, params),
    executionBranch: branchTo(BeaconBlockBody.value_toTree(body), gindex),
  };
}

/** Whether the state still has the snapshot of `period`. */
export function hasSnapshot(state: ConsensusState, period: Period, params: ChainParams): boolean {
  const current = computePeriodAtSlot(state.slot, params);
  return period <= current && period > current - params.randaoMixesLength;
}

/** The set of a period whose snapshot the state has. Keys never change, so any later registry will do. */
export function validatorSetOf(state: ConsensusState, period: Period, params: ChainParams): ValidatorSet {
  const { publicKeys } = getRegistry(state, params);
  const weights = state.ffgWeights.getReadonly(period % params.randaoMixesLength).getAll();
  return {
    genesisValidatorsRoot: state.genesisValidatorsRoot,
    periodSlots: params.periodSlots,
    snapshotsLength: params.randaoMixesLength,
    withdrawabilityDelaySlots: params.minWithdrawabilityDelaySlots,
    period,
    validators: weights.map((weight, index) => ({
      publicKey: publicKeys[index] ?? new Uint8Array(48),
      weight,
    })),
  };
}

/** Proves the set of the state's own period. @param state the post-state of a block. */
export function buildSetProof(state: ConsensusState, params: ChainParams): SetProof {
  const { BeaconState } = containersOf(params);
  const ringIndex = computePeriodAtSlot(state.slot, params) % params.randaoMixesLength;
  const branchOf = (path: (string | number)[]) => branchTo(state.node, BeaconState.getPathInfo(path).gindex);
  return {
    validators: state.validators.serialize(),
    validatorsBranch: branchOf(["validators"]),
    weights: state.ffgWeights.getReadonly(ringIndex).serialize(),
    weightsBranch: branchOf(["ffgWeights", ringIndex]),
  };
}

/** Siblings on the way up from a node, lowest first. */
function branchTo(root: Node, gindex: bigint): Uint8Array[] {
  return new Tree(root).getSingleProof(gindex);
}
