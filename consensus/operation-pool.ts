/** Slashings and exits waiting for a block of ours. See specs/consensus/duties.md#operations. */
import { setBounded } from "./bounded-map.ts";
import type { AttesterSlashing } from "./chain-containers.ts";
import type { ProposerSlashing, SignedVoluntaryExit, ValidatorIndex } from "./containers.ts";
import { findExitFault, slashableEquivocators } from "./operation-rules.ts";
import type { ChainParams } from "./params.ts";
import { processAttesterSlashings, processProposerSlashings } from "./process-slashing-evidence.ts";
import { processVoluntaryExits } from "./process-voluntary-exits.ts";
import { equivocatorsOf, isSlashableValidator } from "./slashability.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, FAR_FUTURE_EPOCH } from "./time.ts";

/** Validators with evidence, or an exit, remembered at once; a block takes 18 slashings and 16 exits. */
export const POOLED_OPERATIONS_LIMIT = 4096;

export type Operation =
  | { readonly kind: "proposerSlashing"; readonly slashing: ProposerSlashing }
  | { readonly kind: "attesterSlashing"; readonly slashing: AttesterSlashing }
  | { readonly kind: "voluntaryExit"; readonly exit: SignedVoluntaryExit };

/** By the validator concerned; evidence against many stands under each of them. Signatures are verified. */
export type OperationPool = {
  readonly proposerSlashings: Map<ValidatorIndex, ProposerSlashing>;
  readonly attesterSlashings: Map<ValidatorIndex, AttesterSlashing>;
  readonly voluntaryExits: Map<ValidatorIndex, SignedVoluntaryExit>;
};

export function createOperationPool(): OperationPool {
  return { proposerSlashings: new Map(), attesterSlashings: new Map(), voluntaryExits: new Map() };
}

/** Whether the pool has one of the kind for every validator concerned. */
export function isPooled(pool: OperationPool, operation: Operation): boolean {
  const indices = concerned(operation);
  return indices.length > 0 && indices.every((index) => poolOf(pool, operation).has(index));
}

export function addOperation(pool: OperationPool, operation: Operation): void {
  for (const index of concerned(operation)) {
    if (poolOf(pool, operation).has(index)) continue;
    if (operation.kind === "proposerSlashing") {
      setBounded(pool.proposerSlashings, index, operation.slashing, POOLED_OPERATIONS_LIMIT);
    } else if (operation.kind === "attesterSlashing") {
      setBounded(pool.attesterSlashings, index, operation.slashing, POOLED_OPERATIONS_LIMIT);
    } else setBounded(pool.voluntaryExits, index, operation.exit, POOLED_OPERATIONS_LIMIT);
  }
}

function concerned(operation: Operation): readonly ValidatorIndex[] {
  if (operation.kind === "proposerSlashing") return [operation.slashing.signedHeader1.message.proposerIndex];
  if (operation.kind === "attesterSlashing") return equivocatorsOf(operation.slashing);
  return [operation.exit.message.validatorIndex];
}

function poolOf(pool: OperationPool, { kind }: Operation): ReadonlyMap<ValidatorIndex, unknown> {
  if (kind === "proposerSlashing") return pool.proposerSlashings;
  return kind === "attesterSlashing" ? pool.attesterSlashings : pool.voluntaryExits;
}

export type PackedOperations = {
  readonly proposerSlashings: ProposerSlashing[];
  readonly attesterSlashings: AttesterSlashing[];
  readonly voluntaryExits: SignedVoluntaryExit[];
};

/**
 * What a block takes out of the pool: what is valid on its chain, oldest first, evidence against the most
 * validators before other votes.
 *
 * @param draft the state as the block's payload leaves it; changed along.
 */
export function packOperations(
  pool: OperationPool,
  draft: ConsensusState,
  params: ChainParams,
): PackedOperations {
  const epoch = computeEpochAtSlot(draft.slot, params);
  const { evidenceIsPacked } = params.rules;
  const proposerSlashings = [...pool.proposerSlashings]
    .filter(() => evidenceIsPacked)
    .filter(([index]) => isSlashableNow(draft, index, epoch))
    .map(([, slashing]) => slashing)
    .slice(0, params.maxProposerSlashings);
  processProposerSlashings(draft, proposerSlashings, params);

  const attesterSlashings: AttesterSlashing[] = [];
  while (evidenceIsPacked && attesterSlashings.length < params.maxAttesterSlashings) {
    const best = heaviest(pool, draft, params);
    if (best === undefined) break;
    processAttesterSlashings(draft, [best], params);
    attesterSlashings.push(best);
  }

  const voluntaryExits: SignedVoluntaryExit[] = [];
  for (const exit of pool.voluntaryExits.values()) {
    if (voluntaryExits.length >= params.maxVoluntaryExits) break;
    if (findExitFault(draft, exit.message, params) !== undefined) continue;
    processVoluntaryExits(draft, [exit], params);
    voluntaryExits.push(exit);
  }
  return { proposerSlashings, attesterSlashings, voluntaryExits };
}

/** The evidence that slashes most; indices that this chain does not know make none of it usable here. */
function heaviest(
  pool: OperationPool,
  draft: ConsensusState,
  params: ChainParams,
): AttesterSlashing | undefined {
  let best: AttesterSlashing | undefined;
  let most = 0;
  for (const slashing of new Set(pool.attesterSlashings.values())) {
    const { attestation1, attestation2 } = slashing;
    const last = Math.max(
      attestation1.attestingIndices.at(-1) ?? 0,
      attestation2.attestingIndices.at(-1) ?? 0,
    );
    if (last >= draft.validators.length) continue;
    const count = slashableEquivocators(draft, slashing, params).length;
    if (count <= most) continue;
    best = slashing;
    most = count;
  }
  return best;
}

/** Forgets what is of no use on any chain any more. @param finalized the state of the finalized block. */
export function pruneOperations(pool: OperationPool, finalized: ConsensusState, params: ChainParams): void {
  const epoch = computeEpochAtSlot(finalized.slot, params);
  for (const slashings of [pool.proposerSlashings, pool.attesterSlashings]) {
    for (const index of slashings.keys()) {
      const isKnown = index < finalized.validators.length;
      if (isKnown && !isSlashableNow(finalized, index, epoch)) slashings.delete(index);
    }
  }
  for (const index of pool.voluntaryExits.keys()) {
    const isKnown = index < finalized.validators.length;
    const isLeaving = isKnown && finalized.validators.getReadonly(index).exitEpoch !== FAR_FUTURE_EPOCH;
    if (isLeaving) pool.voluntaryExits.delete(index);
  }
}

function isSlashableNow({ validators }: ConsensusState, index: ValidatorIndex, epoch: number): boolean {
  return index < validators.length && isSlashableValidator(validators.getReadonly(index), epoch);
}
