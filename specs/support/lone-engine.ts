/** One engine, and a hand that makes valid blocks and votes for it, with cheap signatures. */
import { BitArray } from "@chainsafe/ssz";
import {
  type Attestation,
  containersOf,
  type SignedAggregateAndProof,
  type SignedBeaconBlock,
} from "../../consensus/chain-containers.ts";
import type { AttestationData, SingleAttestation } from "../../consensus/containers.ts";
import { createEngine, type EngineStart, step } from "../../consensus/engine.ts";
import type { BlockOrigin, Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { createGenesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams } from "../../consensus/presets.ts";
import { toPayloadHeader } from "../../consensus/process-payload.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { getExpectedWithdrawals } from "../../consensus/process-withdrawals.ts";
import { getCommittees } from "../../consensus/selection.ts";
import {
  aggregateSigningRoot,
  attestationSigningRoot,
  blockSigningRoot,
  randaoSigningRoot,
  selectionSigningRoot,
} from "../../consensus/signature-sets.ts";
import {
  type ConsensusState,
  forkState,
  getCurrentRandaoMix,
  getProposerIndex,
  getStateRoot,
} from "../../consensus/state.ts";
import { applyBlock } from "../../consensus/state-transition.ts";
import { computeCheckpointSlot, computeEpochAtSlot, computeTimestampAtSlot } from "../../consensus/time.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import {
  aggregateCheaply,
  buildCheaply,
  isPayloadValid,
  signCheaply,
  verifyCheaply,
} from "./consensus-stand-ins.ts";

export const SLOT_MS = 1000;
const GENESIS_TIME = 1_800_000_000;

/** A block of our making: what goes on the wire, and what it leads to. */
export type MadeBlock = {
  readonly root: Hash;
  readonly signed: SignedBeaconBlock;
  readonly state: ConsensusState;
  readonly parent: MadeBlock | undefined;
};

export type Workbench = {
  readonly params: ChainParams;
  readonly publicKeys: readonly Uint8Array[];
  readonly genesis: MadeBlock;
};

/** A chain with `validators` keys of equal stake. */
export function createWorkbench(validators: number, replaced: Partial<ChainParams> = {}): Workbench {
  const params = createParams("testnet", replaced);
  const containers = containersOf(params);
  const publicKeys = Array.from({ length: validators }, (_, index) => blsPublicKey(interopSecretKey(index)));
  const genesis = createGenesis({
    ...{ params, genesisTime: GENESIS_TIME },
    executionHeader: toPayloadHeader(containers.ExecutionPayload.defaultValue(), params),
    validators: publicKeys.map((pubkey) => ({
      ...{ pubkey, withdrawalCredentials: new Uint8Array(32), amount: 32n * 10n ** 9n },
    })),
  });
  const signed = { message: genesis.block, signature: new Uint8Array(96) };
  const root = toHex(genesis.blockRoot);
  return { params, publicKeys, genesis: { root, signed, state: genesis.state, parent: undefined } };
}

export function startEngine(bench: Workbench, start: Partial<EngineStart> = {}): Engine {
  const engine = createEngine({
    ...{ params: bench.params, genesisRoot: bench.genesis.root, nowMs: 0, localValidators: [] },
    ...{ anchorState: bench.genesis.state, anchorEpoch: 0, aggregateSignatures: aggregateCheaply },
    ...start,
  });
  step(engine, { type: "tick", nowMs: start.nowMs ?? 0 });
  return engine;
}

export type BlockOptions = {
  readonly attestations?: readonly Attestation[];
  /** Two blocks for one slot differ by it. */
  readonly graffiti?: string;
  /** Changes the message before it is signed. */
  readonly spoil?: (message: SignedBeaconBlock["message"]) => SignedBeaconBlock["message"];
};

export function makeBlock(
  bench: Workbench,
  parent: MadeBlock,
  slot: number,
  { attestations = [], graffiti = "", spoil = (message) => message }: BlockOptions = {},
): MadeBlock {
  const { params, publicKeys } = bench;
  const containers = containersOf(params);
  const state = forkState(parent.state);
  processSlots(state, slot, params);
  const proposerIndex = getProposerIndex(state, slot, params)!;
  const sign = (root: Uint8Array): Uint8Array => signCheaply(publicKeys[proposerIndex]!, root);
  const body = {
    ...containers.BeaconBlockBody.defaultValue(),
    randaoReveal: sign(randaoSigningRoot(state, slot, params)),
    graffiti: Uint8Array.from(Buffer.from(graffiti.padEnd(32, "\0"))),
    attestations: [...attestations],
    executionPayload: buildCheaply(containers.ExecutionPayload.defaultValue(), {
      parentHash: toHex(state.latestExecutionPayloadHeader.blockHash),
      timestamp: computeTimestampAtSlot(GENESIS_TIME, slot, params),
      prevRandao: toHex(getCurrentRandaoMix(state, params)),
      withdrawals: getExpectedWithdrawals(state, params).withdrawals,
    }),
  };
  const draft = {
    slot,
    proposerIndex,
    parentRoot: fromHex(parent.root),
    stateRoot: new Uint8Array(32),
    body,
  };
  const postState = applyBlock(parent.state, draft, params);
  const message = spoil({ ...draft, stateRoot: getStateRoot(postState) });
  const signed = { message, signature: sign(blockSigningRoot(state, message, params)) };
  return { root: toHex(containers.BeaconBlock.hashTreeRoot(message)), signed, state: postState, parent };
}

/** The honest vote of `slot` for a head, from the head's own justified checkpoint. */
export function voteData(bench: Workbench, head: MadeBlock, slot: number): AttestationData {
  const { params } = bench;
  const epoch = computeEpochAtSlot(slot, params);
  let target = head;
  while (target.parent !== undefined && target.signed.message.slot > computeCheckpointSlot(epoch, params)) {
    target = target.parent;
  }
  return {
    ...{ slot, index: 0, beaconBlockRoot: fromHex(head.root), source: head.state.justified },
    target: { epoch, root: fromHex(target.root) },
  };
}

export function signVote(bench: Workbench, data: AttestationData, attesterIndex: number): SingleAttestation {
  const root = attestationSigningRoot(bench.genesis.state, data, bench.params);
  const signature = signCheaply(bench.publicKeys[attesterIndex]!, root);
  return { committeeIndex: 0, attesterIndex, data, signature };
}

/** The same votes as a block carries them, in whatever committees they are. */
export function aggregateVotes(
  bench: Workbench,
  data: AttestationData,
  voters: readonly number[],
): Attestation {
  const committees = getCommittees(bench.genesis.state, data.slot, bench.params);
  const committeeBits = BitArray.fromBitLen(bench.params.maxCommitteesPerSlot);
  const voting = committees.filter((committee, index) => {
    const isVoting = committee.some((voter) => voters.includes(voter));
    if (isVoting) committeeBits.set(index, true);
    return isVoting;
  });
  const members = voting.flatMap((committee) => [...committee]);
  return {
    aggregationBits: BitArray.fromBoolArray(members.map((voter) => voters.includes(voter))),
    ...{ data, committeeBits },
    signature: aggregateCheaply(
      members
        .filter((voter) => voters.includes(voter))
        .map((voter) => signVote(bench, data, voter).signature),
    ),
  };
}

/** Proof of a member's draw for a slot. */
export function selectionProof(bench: Workbench, slot: number, member: number): Uint8Array {
  return signCheaply(
    bench.publicKeys[member]!,
    selectionSigningRoot(bench.genesis.state, slot, bench.params),
  );
}

/** An aggregate of the committee's members at these positions, by its first member or another. */
export function makeAggregate(
  bench: Workbench,
  data: AttestationData,
  committees: readonly Uint32Array[],
  committeeIndex: number,
  positions: readonly number[],
  aggregatorIndex = committees[committeeIndex]![0]!,
): SignedAggregateAndProof {
  const committee = [...committees[committeeIndex]!];
  const voters = positions.map((position) => committee[position]!);
  const message = {
    aggregatorIndex,
    aggregate: {
      aggregationBits: BitArray.fromBoolArray(committee.map((voter) => voters.includes(voter))),
      ...{ data, committeeBits: BitArray.fromSingleBit(bench.params.maxCommitteesPerSlot, committeeIndex) },
      signature: aggregateCheaply(voters.map((voter) => signVote(bench, data, voter).signature)),
    },
    selectionProof: selectionProof(bench, data.slot, aggregatorIndex),
  };
  const root = aggregateSigningRoot(bench.genesis.state, message, bench.params);
  return { message, signature: signCheaply(bench.publicKeys[aggregatorIndex]!, root) };
}

export function receiveAggregate(engine: Engine, aggregate: SignedAggregateAndProof): Effect[] {
  return step(engine, { type: "aggregateReceived", aggregate, peer: "peer", messageId: "message" });
}

/** Goes on from `start` with a block a slot up to `lastSlot`; each carries everyone's votes of the slot before. */
export function votedChain(bench: Workbench, start: readonly MadeBlock[], lastSlot: number): MadeBlock[] {
  const chain = [...start];
  for (let head = chain.at(-1)!; head.signed.message.slot < lastSlot; head = chain.at(-1)!) {
    const { slot } = head.signed.message;
    const voters = getCommittees(bench.genesis.state, slot, bench.params).flatMap((members) => [...members]);
    const attestations = [aggregateVotes(bench, voteData(bench, head, slot), voters)];
    chain.push(makeBlock(bench, head, slot + 1, { attestations }));
  }
  return chain;
}

export function tick(engine: Engine, slot: number, intoSlotMs = 0): Effect[] {
  return step(engine, { type: "tick", nowMs: slot * SLOT_MS + intoSlotMs });
}

export const FROM_GOSSIP: BlockOrigin = { kind: "gossip", peer: "peer", messageId: "message" };
export const FROM_SYNC: BlockOrigin = { kind: "sync", peer: "peer" };

/** Hands over a block at the time the engine thinks it is. */
export function receiveBlock(
  engine: Engine,
  block: SignedBeaconBlock,
  origin: BlockOrigin = FROM_GOSSIP,
): Effect[] {
  return step(engine, { type: "blockReceived", block, arrivalMs: engine.nowMs, origin });
}

export function receiveVotes(engine: Engine, attestations: readonly SingleAttestation[]): Effect[] {
  return step(engine, { type: "attestationsReceived", attestations, peer: "peer", messageId: "message" });
}

/** Answers every wish for a check at once and truthfully; gives all effects, wishes included, in order. */
export function settle(engine: Engine, effects: readonly Effect[]): Effect[] {
  const all = [...effects];
  for (let i = 0; i < all.length; i++) {
    const answer = answerTo(all[i]!);
    if (answer !== undefined) all.push(...step(engine, answer));
  }
  return all;
}

function answerTo(effect: Effect): EngineEvent | undefined {
  if (effect.type === "verifySignatures") {
    return { type: "signaturesVerified", id: effect.id, valid: effect.sets.map(verifyCheaply) };
  }
  if (effect.type === "executePayload") {
    const verdict = isPayloadValid(effect.payload) ? "valid" : "invalid";
    return { type: "payloadExecuted", id: effect.id, verdict };
  }
  return undefined;
}

/** The effects of some types, in order. */
export function ofType<Type extends Effect["type"]>(
  effects: readonly Effect[],
  ...types: readonly Type[]
): (Effect & { type: Type })[] {
  return effects.filter((effect): effect is Effect & { type: Type } => types.includes(effect.type as Type));
}

/** Imports blocks in order and fails if one is refused. */
export function importAll(engine: Engine, blocks: readonly MadeBlock[]): Effect[] {
  return blocks.flatMap(({ signed, root }) => {
    const effects = settle(engine, receiveBlock(engine, signed, FROM_SYNC));
    const outcome = ofType(effects, "blockProcessed").find((effect) => effect.root === root)?.outcome;
    if (outcome !== "imported") throw new Error(`block of slot ${signed.message.slot}: ${outcome}`);
    return effects;
  });
}

/** Everything an invalid message must leave as it was. */
export function snapshot(engine: Engine): unknown {
  const { store, blocks, states, votePool } = engine;
  return structuredClone({
    ...{ store, blocks: [...blocks.keys()], states: [...states.entries.keys()] },
    pool: [...votePool].map(([key, votes]) => [key, [...votes.signatures.keys()], votes.aggregates]),
  });
}
