/** The votes that made the finalized checkpoint final, for who was not there. See specs/light/light-client.md#certificates. */
import type { Attestation } from "./chain-containers.ts";
import type { AttestationData, Checkpoint, Signature, ValidatorIndex } from "./containers.ts";
import type { Engine } from "./engine-state.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import { type ConsensusState, equalCheckpoints, getCheckpointRoot } from "./state.ts";
import { getState } from "./state-cache.ts";
import { voteKey } from "./vote-records.ts";

/** Votes with equal data under one signature; nobody is in two groups. */
export type VoteGroup = {
  readonly data: AttestationData;
  /** Ascending. */
  readonly validatorIndices: readonly ValidatorIndex[];
  readonly signature: Signature;
};

export type FinalityVotes = {
  readonly source: Checkpoint;
  readonly target: Checkpoint;
  readonly groups: readonly VoteGroup[];
};

/**
 * All votes this node knows for the link from the finalized checkpoint to the next epoch's: those in blocks of the
 * head's chain, and those seen on gossip.
 *
 * @param validatorCount only voters with an index below it; a verifier that does not know the key of a later one
 *   could not check an aggregate with its signature in it.
 * @returns undefined while nothing but genesis is final, or when the head's state is not at hand.
 */
export function collectFinalityVotes(engine: Engine, validatorCount: number): FinalityVotes | undefined {
  const { store, states, votePool, aggregateSignatures } = engine;
  const { params } = engine.chain;
  const state = getState(states, store.headRoot);
  if (state === undefined || state.finalized.epoch === 0) return undefined;
  const source = state.finalized;
  const epoch = source.epoch + 1;
  const target = { epoch, root: getCheckpointRoot(state, epoch, params) };
  const isOfLink = (data: AttestationData) =>
    equalCheckpoints(data.source, source) && equalCheckpoints(data.target, target);

  const groups = new Map<string, OpenGroup>();
  const covered = new Set<ValidatorIndex>();
  const add = (data: AttestationData, indices: readonly ValidatorIndex[], signature: Signature) => {
    const isTaken = indices.some((index) => index >= validatorCount || covered.has(index));
    if (isTaken || indices.length === 0) return;
    const key = voteKey(data);
    const group = groups.get(key) ?? { data, indices: [], signatures: [] };
    groups.set(key, group);
    group.indices.push(...indices);
    group.signatures.push(signature);
    for (const index of indices) covered.add(index);
  };
  // The largest aggregates first: what is left over is added one by one.
  for (const { attestation, indices } of aggregatesOf(engine, state, isOfLink)) {
    add(attestation.data, indices, attestation.signature);
  }
  for (const { data, signatures } of votePool.values()) {
    if (isOfLink(data)) for (const [index, signature] of signatures) add(data, [index], signature);
  }
  return {
    ...{ source, target },
    groups: [...groups.values()].map(({ data, indices, signatures }) => ({
      data,
      validatorIndices: indices.sort((a, b) => a - b),
      signature: aggregateSignatures(signatures),
    })),
  };
}

type OpenGroup = {
  readonly data: AttestationData;
  readonly indices: ValidatorIndex[];
  readonly signatures: Signature[];
};

type Aggregate = { readonly attestation: Attestation; readonly indices: readonly ValidatorIndex[] };

/** In blocks after the finalized one, on the head's chain; most voters first. */
function aggregatesOf(
  { store, blocks, chain }: Engine,
  state: ConsensusState,
  isOfLink: (data: AttestationData) => boolean,
): readonly Aggregate[] {
  const found: Aggregate[] = [];
  for (let block = blocks.get(store.headRoot); block !== undefined; block = blocks.get(block.parentRoot)) {
    if (block.root === store.finalized.root) break;
    for (const attestation of block.attestations) {
      if (!isOfLink(attestation.data)) continue;
      found.push({ attestation, indices: getAttestingIndices(state, attestation, chain.params) });
    }
  }
  return found.sort((a, b) => b.indices.length - a.indices.length);
}
