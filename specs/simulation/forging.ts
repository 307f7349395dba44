/** Votes and blocks that an honest engine would not make, with good signatures. */
import { BitArray } from "@chainsafe/ssz";
import { getStateInPeriod } from "../../consensus/advanced-state.ts";
import {
  type Attestation,
  type AttesterSlashing,
  containersOf,
  type SignedBeaconBlock,
} from "../../consensus/chain-containers.ts";
import type { AttestationData, Checkpoint, SingleAttestation } from "../../consensus/containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { bestSource, checkpointBlock, type TreeCheckpoint } from "../../consensus/fork-choice-store.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { getExpectedWithdrawals } from "../../consensus/process-withdrawals.ts";
import { getCommittees } from "../../consensus/selection.ts";
import {
  attestationSigningRoot,
  blockSigningRoot,
  randaoSigningRoot,
} from "../../consensus/signature-sets.ts";
import {
  type ConsensusState,
  forkState,
  getCurrentRandaoMix,
  getLatestBlockRoot,
  getProposerIndex,
  getStateRoot,
  ZERO_ROOT,
} from "../../consensus/state.ts";
import { applyBlock } from "../../consensus/state-transition.ts";
import { computeEpochAtSlot, computeTimestampAtSlot } from "../../consensus/time.ts";
import { packVotes } from "../../consensus/vote-packing.ts";
import { fromHex, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { aggregateCheaply, buildCheaply, signCheaply } from "../support/consensus-stand-ins.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";

function toCheckpoint(engine: Engine, { epoch, root }: TreeCheckpoint): Checkpoint {
  const isGenesis = epoch === 0 && root === engine.chain.genesisRoot;
  return { epoch, root: fromHex(isGenesis ? ZERO_HASH : root) };
}

/**
 * A vote of `validatorIndex` at `slot` for any head the node knows, from the best source or a given one. Noted as
 * signed, whether it is sent or not. Undefined when there is nothing to vote for or the validator is not on duty.
 */
export function forgeVote(
  simulation: Simulation,
  { engine }: SimulatedNode,
  vote: {
    readonly validatorIndex: number;
    readonly slot: number;
    readonly headRoot: Hash;
    readonly source?: TreeCheckpoint;
  },
): SingleAttestation | undefined {
  const { params } = simulation;
  const { validatorIndex, slot, headRoot } = vote;
  const epoch = computeEpochAtSlot(slot, params);
  const target = checkpointBlock(engine.store, headRoot, epoch);
  const source = vote.source ?? bestSource(engine.store, headRoot, epoch)?.checkpoint;
  const state = getStateInPeriod(engine, engine.store.headRoot, slot);
  if (epoch === 0 || target === undefined || source === undefined || state === undefined) return undefined;
  const committeeIndex = getCommittees(state, slot, params).findIndex((members) =>
    members.includes(validatorIndex),
  );
  if (committeeIndex < 0) return undefined;
  const data: AttestationData = {
    ...{ slot, index: 0, beaconBlockRoot: fromHex(headRoot) },
    source: toCheckpoint(engine, source),
    target: toCheckpoint(engine, { epoch, root: target }),
  };
  return signVote(simulation, state, { committeeIndex, attesterIndex: validatorIndex, data });
}

export function signVote(
  { params, publicKeys, observer }: Simulation,
  state: ConsensusState,
  vote: Omit<SingleAttestation, "signature">,
): SingleAttestation {
  observer.messages.noteVote(vote.attesterIndex, vote.data);
  const key = publicKeys[vote.attesterIndex]!;
  return { ...vote, signature: signCheaply(key, attestationSigningRoot(state, vote.data, params)) };
}

/** The votes of validators of the slot's first committee with one data, as one attestation. */
export function aggregate(
  { params }: Simulation,
  state: ConsensusState,
  votes: readonly SingleAttestation[],
): Attestation {
  const { data } = votes[0]!;
  const [committee = new Uint32Array()] = getCommittees(state, data.slot, params);
  const voters = new Set(votes.map(({ attesterIndex }) => attesterIndex));
  const ordered = [...votes].sort((a, b) => a.attesterIndex - b.attesterIndex);
  return {
    data,
    aggregationBits: BitArray.fromBoolArray(Array.from(committee, (index) => voters.has(index))),
    committeeBits: BitArray.fromSingleBit(params.maxCommitteesPerSlot, 0),
    signature: aggregateCheaply(ordered.map(({ signature }) => signature)),
  };
}

export type Forged = {
  readonly block: SignedBeaconBlock;
  readonly root: Hash;
  readonly state: ConsensusState;
};

/**
 * A block of whoever proposes at `slot` on the parent, with these votes; `mark` tells it from other blocks of the
 * slot. Undefined when there can be none: a slashed proposer, or votes that do not fit this parent.
 */
export function sealBlock(
  simulation: Simulation,
  parentState: ConsensusState,
  slot: number,
  votesAt: (state: ConsensusState) => readonly Attestation[],
  mark = 0,
): Forged | undefined {
  const { params, publicKeys, emptyPayload, genesis, observer } = simulation;
  const { BeaconBlockBody } = containersOf(params);
  const state = forkState(parentState);
  processSlots(state, slot, params);
  const proposerIndex = getProposerIndex(state, slot, params)!;
  const key = publicKeys[proposerIndex]!;
  const message = {
    ...{ slot, proposerIndex, parentRoot: getLatestBlockRoot(state), stateRoot: ZERO_ROOT },
    body: {
      ...BeaconBlockBody.defaultValue(),
      randaoReveal: signCheaply(key, randaoSigningRoot(state, slot, params)),
      graffiti: new Uint8Array(32).fill(mark),
      attestations: [...votesAt(state)],
      executionPayload: buildCheaply(emptyPayload, {
        parentHash: toHex(state.latestExecutionPayloadHeader.blockHash),
        timestamp: computeTimestampAtSlot(genesis.state.genesisTime, slot, params),
        prevRandao: toHex(getCurrentRandaoMix(state, params)),
        withdrawals: getExpectedWithdrawals(state, params).withdrawals,
      }),
    },
  };
  let postState: ConsensusState;
  try {
    postState = applyBlock(parentState, message, params);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return undefined;
  }
  const sealed = { ...message, stateRoot: getStateRoot(postState) };
  const block = {
    message: sealed,
    signature: signCheaply(key, blockSigningRoot(parentState, sealed, params)),
  };
  const root = simulation.rootOf(block);
  observer.noteBlock(block, root, false);
  return { block, root, state: postState };
}

/** What a forged block is to be like, beyond being valid. */
export type Forgery = {
  readonly parentRoot: Hash;
  readonly slot: number;
  /** Instead of the votes an honest proposer would pack. */
  readonly attestations?: (packed: readonly Attestation[]) => readonly Attestation[];
  readonly mark?: number;
};

/** The same on a block that the node knows, as far as the proposer there is one of its own. */
export function forgeBlock(
  simulation: Simulation,
  node: SimulatedNode,
  { parentRoot, slot, attestations, mark = 0 }: Forgery,
): Forged | undefined {
  const { engine } = node;
  const parentState = getStateInPeriod(engine, parentRoot, slot);
  if (parentState === undefined || parentState.latestBlockHeader.slot >= slot) return undefined;
  const proposerIndex = getProposerIndex(parentState, slot, simulation.params);
  const isOurs = proposerIndex !== undefined && isByzantine(simulation, proposerIndex);
  if (!isOurs || (engine.blocks.get(parentRoot)?.slot ?? slot) >= slot) return undefined;
  return sealBlock(
    simulation,
    parentState,
    slot,
    (state) => {
      const packed = packVotes(engine, state, parentRoot);
      return attestations?.(packed) ?? packed;
    },
    mark,
  );
}

/** Whether a conspirator holds the validator's key. */
export function isByzantine({ nodes, validatorsOf }: Simulation, validatorIndex: number): boolean {
  return nodes.some(({ isHonest, index }) => !isHonest && validatorsOf(index).includes(validatorIndex));
}

/** Evidence of two votes that one validator signed, for a watchtower to give to everyone. */
export function evidenceOf(first: SingleAttestation, second: SingleAttestation): AttesterSlashing {
  const indexed = ({ attesterIndex, data, signature }: SingleAttestation) => ({
    ...{ attestingIndices: [attesterIndex], data, signature },
  });
  // Of a surround vote the outer one comes first.
  const isOuter = first.data.source.epoch <= second.data.source.epoch;
  const [outer, inner] = isOuter ? [first, second] : [second, first];
  return { attestation1: indexed(outer), attestation2: indexed(inner) };
}
