/** An engine on a chain whose votes have real signatures, as a light client checks them. */
import type { Attestation } from "../../consensus/chain-containers.ts";
import type { AttestationData, SingleAttestation } from "../../consensus/containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { attestationSigningRoot } from "../../consensus/signature-sets.ts";
import { getState } from "../../consensus/state-cache.ts";
import { buildFinalizedBlock, validatorSetOf } from "../../node/light/light-server.ts";
import { blsAggregateSignatures, blsSign } from "../../primitives/bls.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import {
  aggregateVotes,
  createWorkbench,
  FROM_SYNC,
  type MadeBlock,
  makeBlock,
  startEngine,
  tick,
  voteData,
  type Workbench,
} from "../support/lone-engine.ts";

export type ProvenChain = { readonly bench: Workbench; readonly engine: Engine; readonly chain: MadeBlock[] };

export function signVoteReally(bench: Workbench, data: AttestationData, voter: number): Uint8Array {
  return blsSign(interopSecretKey(voter), attestationSigningRoot(bench.genesis.state, data, bench.params));
}

/** Their votes in one attestation. */
export function certify(bench: Workbench, data: AttestationData, voters: readonly number[]): Attestation {
  const signature = blsAggregateSignatures(voters.map((voter) => signVoteReally(bench, data, voter)));
  return { ...aggregateVotes(bench, data, voters), signature };
}

/** Signatures and payloads of blocks are not what is looked at here: every check passes. */
export function passing(engine: Engine, effects: readonly Effect[]): void {
  const all = [...effects];
  for (let i = 0; i < all.length; i++) {
    const effect = all[i]!;
    if (effect.type === "verifySignatures") {
      const valid = effect.sets.map(() => true);
      all.push(...step(engine, { type: "signaturesVerified", id: effect.id, valid }));
    } else if (effect.type === "executePayload") {
      all.push(...step(engine, { type: "payloadExecuted", id: effect.id, verdict: "valid" }));
    }
  }
}

/** A block in every slot up to `lastSlot`; votes of each slot are in the next block, from those `votersOf` names. */
export function provenChain(
  validators: number,
  lastSlot: number,
  votersOf: (slot: number) => readonly number[] = () => Array.from({ length: validators }, (_, i) => i),
): ProvenChain {
  const bench = createWorkbench(validators);
  const chain = [bench.genesis];
  for (let slot = 1; slot <= lastSlot; slot++) {
    const head = chain.at(-1)!;
    const voters = slot === 1 ? [] : votersOf(slot - 1);
    const attestations = voters.length === 0 ? [] : [certify(bench, voteData(bench, head, slot - 1), voters)];
    chain.push(makeBlock(bench, head, slot, { attestations }));
  }
  const engine = startEngine(bench, { isSingleNode: true, aggregateSignatures: blsAggregateSignatures });
  for (const { signed } of chain.slice(1)) {
    passing(engine, tick(engine, signed.message.slot));
    passing(
      engine,
      step(engine, { type: "blockReceived", block: signed, arrivalMs: engine.nowMs, origin: FROM_SYNC }),
    );
  }
  return { bench, engine, chain };
}

/** A vote as it comes by gossip. */
export function singleVote(bench: Workbench, data: AttestationData, voter: number): SingleAttestation {
  return { committeeIndex: 0, attesterIndex: voter, data, signature: signVoteReally(bench, data, voter) };
}

export function setOf({ engine, bench }: ProvenChain, period: number) {
  const state = getState(engine.states, engine.store.headRoot)!;
  return validatorSetOf(state, period, bench.params);
}

export function provenBlock(proven: ProvenChain, period = 0, set = setOf(proven, period)) {
  const blockOf = (root: Hash) => proven.chain.find((block) => block.root === root)?.signed.message;
  return buildFinalizedBlock(proven.engine, set, blockOf);
}
