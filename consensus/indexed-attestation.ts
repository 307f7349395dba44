/** Aggregates and single votes as lists of validators. See specs/consensus/selection.md#aggregates. */
import type { Attestation, IndexedAttestation } from "./chain-containers.ts";
import type { ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getCommittees } from "./selection.ts";
import type { ConsensusState } from "./state.ts";

/**
 * Validators whose bit is set, ascending. The aggregate's bits fit its committees (findAttestationFault).
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, get_attesting_indices
 */
export function getAttestingIndices(
  state: ConsensusState,
  { data, committeeBits, aggregationBits }: Attestation,
  params: ChainParams,
): ValidatorIndex[] {
  const committees = getCommittees(state, data.slot, params);
  const indices: ValidatorIndex[] = [];
  let position = 0;
  for (const committeeIndex of committeeBits.getTrueBitIndexes()) {
    for (const validatorIndex of committees[committeeIndex] ?? []) {
      if (aggregationBits.get(position)) indices.push(validatorIndex);
      position += 1;
    }
  }
  return indices.sort((a, b) => a - b);
}

/** At least one index, ascending without repetition. @see phase0/beacon-chain.md, is_valid_indexed_attestation */
export function hasAscendingIndices({ attestingIndices }: IndexedAttestation): boolean {
  const isAscending = attestingIndices.every(
    (validatorIndex, i) => i === 0 || validatorIndex > (attestingIndices[i - 1] ?? validatorIndex),
  );
  return attestingIndices.length > 0 && isAscending;
}
