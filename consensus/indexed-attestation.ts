/** Aggregates and single votes as lists of validators. See specs/consensus/selection.md#aggregates. */
import { BitArray } from "@chainsafe/ssz";
import type { Attestation, IndexedAttestation } from "./chain-containers.ts";
import type { ValidatorIndex } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { getCommittees } from "./selection.ts";
import type { ConsensusState } from "./state.ts";

/**
 * Who voted, as bits by validator index. The aggregate's own bits fit its committees (findAttestationFault).
 *
 * @param length above every index.
 * @see consensus-specs v1.5.0, electra/beacon-chain.md, get_attesting_indices
 */
export function getAttestingBits(
  state: ConsensusState,
  { data, committeeBits, aggregationBits }: Attestation,
  length: number,
  params: ChainParams,
): BitArray {
  const committees = getCommittees(state, data.slot, params);
  const { uint8Array: given } = aggregationBits;
  const bytes = new Uint8Array(Math.ceil(length / 8));
  let position = 0;
  for (const committeeIndex of committeeBits.getTrueBitIndexes()) {
    for (const index of committees[committeeIndex] ?? []) {
      const bit = ((given[position >> 3] ?? 0) >> (position & 7)) & 1;
      bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (index & 7));
      position += 1;
    }
  }
  return new BitArray(bytes, length);
}

/** The same as a list, ascending. */
export function getAttestingIndices(
  state: ConsensusState,
  attestation: Attestation,
  params: ChainParams,
): ValidatorIndex[] {
  return getAttestingBits(state, attestation, state.validators.length, params).getTrueBitIndexes();
}

/** At least one index, ascending without repetition. @see phase0/beacon-chain.md, is_valid_indexed_attestation */
export function hasAscendingIndices({ attestingIndices }: IndexedAttestation): boolean {
  const isAscending = attestingIndices.every(
    (validatorIndex, i) => i === 0 || validatorIndex > (attestingIndices[i - 1] ?? validatorIndex),
  );
  return attestingIndices.length > 0 && isAscending;
}
